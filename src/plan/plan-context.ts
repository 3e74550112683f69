/** What placing the entries of a spec needs from the rest of the house. */

import type { DigestFinder, FileBacked, Ingester } from '../content/store.ts'
import type { Environment } from '../environment.ts'
import type { Reporter } from '../events.ts'
import type { Rootfs } from '../rootfs/collect-files.ts'
import type { Platform } from '../spec/platform.ts'
import type { Reference } from '../spec/reference.ts'
import type { CopyMemory } from './copy-memory.ts'
import type { HiddenLog } from './hidden-log.ts'
import type { ListingMemory } from './host-file.ts'
import type { MeetsLong } from './place-tree.ts'
import type { WalkMemory } from './walk-columns.ts'

/** Where downloads are kept by their digest. */
export type LocalBlobs = Ingester & FileBacked & DigestFinder

export interface PlanContext {
  readonly platform: Platform
  /** Absolute host folder: the spec's root. */
  readonly specRoot: string
  /** Absolute host folder for copies that last as long as the build. */
  readonly spoolDir: string
  /** Absolute host paths of outputs and the cache: never copied. */
  readonly excludedPaths: readonly string[]
  readonly reporter: Reporter
  readonly openImage: (reference: Reference, platform: Platform) => Promise<Rootfs>
  readonly blobs: LocalBlobs
  readonly offline: boolean
  readonly environment: Environment
  /** What folders below a root held. */
  readonly listingsOf?: ((root: string) => ListingMemory) | undefined
  /** What walks of folders took. */
  readonly walks?: WalkMemory | undefined
  /** Is told of the long files of folders as they are found below a root. */
  readonly meetsLongOf?: ((root: string) => MeetsLong | undefined) | undefined
  /** What other images of the same plan copied; absent: nobody else copies anything. */
  readonly copies?: CopyMemory | undefined
}

/** The context, and what belongs to one layer of it. */
export interface LayerContext extends PlanContext {
  readonly hidden: HiddenLog
}
