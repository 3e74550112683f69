/** Which blobs of a layout this process wrote, and so knows to be right. */

import type { Stats } from 'node:fs'
import type { BlobFile } from '../content/store.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import { blobPath, statBlob } from './blob-files.ts'

/** The blobs that a store wrote itself, known again as long as nobody else writes there. */
export interface OwnBlobs {
  /** To be called when the blob has just been put in its place. */
  add(target: Descriptor): void
  /** The blob, if it is there. */
  find(target: Descriptor): BlobFile | undefined
}

export function createOwnBlobs(dir: string): OwnBlobs {
  const own = new Map<Digest, string>()
  const identity = ({ ino, mtimeMs }: Stats): string => `${ino} ${mtimeMs}`
  return {
    add(target) {
      const stats = statBlob(dir, target)
      if (stats !== undefined) own.set(target.digest, identity(stats))
    },
    find(target) {
      const stats = statBlob(dir, target)
      if (stats === undefined) return undefined
      const path = blobPath(dir, target.digest)
      return { path, checked: own.get(target.digest) === identity(stats) }
    },
  }
}
