/** What a library in a layer defines, from its bytes. */

import type { ByteStream } from '../content/store.ts'
import { OciBuildError } from '../errors.ts'
import type { Platform } from '../spec/platform.ts'
import { parseElfVersions } from './elf-versions.ts'
import { cpuOfMachine } from './elf-machines.ts'
import { elfBytes, readElf } from './elf.ts'
import { cpuOf } from './project/native-platform.ts'
import { summariseVersions, type VersionSummary } from './symbol-versions.ts'

/** Undefined for what is no library of the platform. Reads all of it into memory. */
export async function readDefinedVersions(
  content: ByteStream,
  platform: Platform,
): Promise<VersionSummary | undefined> {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(Uint8Array.from(chunk))
  const source = elfBytes(Buffer.concat(chunks), 'a library of the base')
  try {
    if (cpuOfMachine(readElf(source).machine) !== cpuOf(platform)) return undefined
    return summariseVersions(parseElfVersions(source).defines)
  } catch (error) {
    // A linker's script, or an empty file in its place: the loader would pass over it, too.
    if (error instanceof OciBuildError && error.code === 'OCB-ELF-INVALID') return undefined
    throw error
  }
}
