/** What a build takes the references of its spec for, and how it gets to know what a base holds. */

import type { BaseFiles } from '../layer/lower.ts'
import type { TextMemory } from '../rootfs/text-memory.ts'
import type { LayerEntry } from '../rootfs/tree-types.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import type { Platform } from '../spec/platform.ts'
import type { RegistryReference } from '../spec/reference.ts'

export interface Pins {
  /** What the reference is taken for; undefined: its registry is to be asked. Throws `OCB-LOCK-MISSING` under `--frozen`. */
  rootOf(reference: RegistryReference): Descriptor | undefined
  /** Told what the registry said. */
  resolved(reference: RegistryReference, root: Descriptor): void
  /** Told which image was found below the root. Throws `OCB-LOCK-INVALID` where the lock has another. */
  opened(reference: RegistryReference, platform: Platform, image: OpenedImage): void
  /**
   * Plans over a base: `plan` gets what opens it and what is kept of its programs, and may be run again, from the
   * start, with others. Throws `OCB-LOCK-STALE` under `--frozen`, where the base would have to be read.
   */
  overBase<T>(base: PinnedBase, plan: PlanOverBase<T>): Promise<T>
}

/** `programs` is asked before the base's programs are read, and told what they said. */
export type PlanOverBase<T> = (open: () => Promise<BaseFiles>, programs: TextMemory) => Promise<T>

export interface OpenedImage {
  readonly manifestDigest?: Digest | undefined
  readonly configDigest?: Digest | undefined
}

export interface PinnedBase {
  /** What the user wrote, where it is of a registry. */
  readonly reference: RegistryReference
  readonly platform: Platform
  readonly files: Pick<BaseFiles, 'store' | 'layers'>
  /** Reads the names of its layers, lowest first. */
  readNames(): Promise<readonly (readonly LayerEntry[])[]>
}
