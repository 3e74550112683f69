/** Where images are read from and written to, whatever store lies behind. */

import type { Descriptor } from '../spec/descriptor.ts'
import type { ImageName } from '../spec/output-names.ts'
import type { CopyGraphOptions } from './copy-graph.ts'
import type { ContentStore, FileBacked, Fetcher, StoreOptions } from './store.ts'

export interface ImageSource {
  readonly store: Fetcher & Partial<FileBacked>
  /** A manifest, or an index: which of its platforms is wanted is the caller's to say. */
  readonly root: Descriptor
  /** Fully qualified with its tag, where it is in a registry. */
  readonly name?: string | undefined
}

/** A place for images. Two references to one place (`outputPlace`) share one output. */
export interface Output {
  readonly store: ContentStore
  /** Copies an image whole, to be seen under `names` after `finish`. May be called for several images. */
  add(
    source: Fetcher & Partial<FileBacked>,
    root: Descriptor,
    names: readonly ImageName[],
    options?: Omit<CopyGraphOptions, 'concurrency' | 'deep'>,
  ): Promise<void>
  /**
   * Begins to send one blob: who builds sends what is done while other things are done. Never throws; what did not
   * arrive is sent by `add`, which waits for all that was begun.
   */
  sendAhead?(source: Fetcher & Partial<FileBacked>, blob: Descriptor, options?: StoreOptions): void
  /**
   * What the place holds under a name already, for places where others write too; undefined where there is nothing.
   * Blobs of manifests that are read this way need not be asked for again.
   */
  peek?(name: string, options?: StoreOptions): Promise<ImageSource | undefined>
  /** Makes all that was added visible at once. On a failure what was there before is untouched. */
  finish(options?: StoreOptions): Promise<void>
  /** Gives up what was not finished. Harmless after `finish`. */
  abort(): Promise<void>
}
