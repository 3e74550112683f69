/** What a base gives to the native files of a Node.js project. */

import type { ImageSpec } from '../config/resolved-spec.ts'
import type { BaseRuntime, Libc } from '../node/base-runtime.ts'
import type { TextMemory } from '../rootfs/text-memory.ts'
import type { LayerEntry } from '../rootfs/tree-types.ts'
import type { Platform } from '../spec/platform.ts'
import type { OpenedBase } from './open-base.ts'
import type { Session } from './session.ts'

export interface RuntimeQuestion {
  readonly platform: Platform
  readonly base: OpenedBase
  /** The entries of the base's layers, lowest first. */
  readNames(): Promise<readonly (readonly LayerEntry[])[]>
  /** What is kept of the base's programs. */
  readonly programs: TextMemory
}

/** What the base gives to native files; undefined where there is nothing in it. */
export async function openRuntime(
  { base, platform, readNames, programs }: RuntimeQuestion,
  { environment, cache, options }: Session,
): Promise<BaseRuntime | undefined> {
  const { image, layers } = base
  const { store } = image
  const env = image.config?.config?.Env
  if (store !== undefined && image.layers.length > 0) {
    const { imageBaseRuntime } = await import('../node/image-provides.ts')
    const { namesDir } = cache
    const { signal } = options
    return imageBaseRuntime({
      store,
      layers: image.layers,
      platform,
      env,
      readNames,
      memory: programs,
      cacheDir: namesDir,
      signal,
    })
  }
  const { version } = environment.node
  const { modulesOf } = await import('../node/node-abi.ts')
  const { hostBaseRuntime } = await import('../node/host-provides.ts')
  const placements = layers.flatMap((layer) => layer.placements)
  return placements.length > 0
    ? hostBaseRuntime(placements, { version, modules: modulesOf(version) })
    : undefined
}

/** Undefined where nothing tells without reading the base. */
export function libcOf({ base }: ImageSpec, { layers }: OpenedBase): Libc | undefined {
  if (base.transport === 'host') {
    const isMusl = layers.some(({ placements }) =>
      placements.some(({ path }) => /\/ld-musl-[^/]*$/.test(path)),
    )
    return isMusl ? 'musl' : 'glibc'
  }
  if (base.transport !== 'docker' || base.repository !== 'library/node') return undefined
  if (base.tag === undefined) return undefined
  return base.tag.includes('alpine') ? 'musl' : 'glibc'
}
