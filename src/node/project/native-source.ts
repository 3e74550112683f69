/** The bytes of a file that is to ship, by position: on this host, in a file of ours, or at hand. */

import { unreadable } from '../../plan/host-file.ts'
import type { FileSource } from '../../plan/placement.ts'
import { OciBuildError } from '../../errors.ts'
import { elfBytes, withElfFile, type ElfSource } from '../elf.ts'

/** `name` is for messages about bytes that have no path. Throws `OCB-COPY-UNREADABLE`, and what `work` throws. */
export function withNativeSource<T>(source: FileSource, name: string, work: (source: ElfSource) => T): T {
  if (source.kind === 'bytes') return work(elfBytes(source.bytes, name))
  const { path, offset, size } = source
  try {
    return withElfFile(path, work, offset === undefined ? undefined : { offset, size })
  } catch (error) {
    throw error instanceof OciBuildError ? error : unreadable(path, error)
  }
}
