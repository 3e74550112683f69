/** What placing the entries of a spec needs from the rest of the house. */

import type { ContentStore, Fetcher, FileBacked, Ingester } from '../content/store.ts'
import type { Environment } from '../environment.ts'
import type { Reporter } from '../events.ts'
import type { Tree } from '../rootfs/tree-types.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Platform } from '../spec/platform.ts'
import type { Reference } from '../spec/reference.ts'
import type { HiddenLog } from './hidden-log.ts'

/** Where downloads are kept by their digest. */
export type LocalBlobs = Ingester & FileBacked & Pick<ContentStore, 'has'>

/** An image that files are copied from: its layers lowest first, and the names in them. */
export interface OpenedImage {
  readonly store: Fetcher
  readonly layers: readonly Descriptor[]
  readonly tree: Tree
}

export interface PlanContext {
  readonly platform: Platform
  /** Absolute host folder: the spec's root. */
  readonly specRoot: string
  /** Absolute host folder for copies that last as long as the build. */
  readonly spoolDir: string
  /** Absolute host paths of outputs and the cache: never copied. */
  readonly excludedPaths: readonly string[]
  readonly reporter: Reporter
  readonly openImage: (reference: Reference, platform: Platform) => Promise<OpenedImage>
  readonly blobs: LocalBlobs
  readonly offline: boolean
  readonly environment: Environment
}

/** The context, and what belongs to one layer of it. */
export interface LayerContext extends PlanContext {
  readonly hidden: HiddenLog
}
