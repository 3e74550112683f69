/** What a base gives to the native files of a Node.js project. */

import { createReadStream } from 'node:fs'
import type { ImageSpec } from '../config/resolved-spec.ts'
import type { Environment } from '../environment.ts'
import type { BaseRuntime, Libc } from '../node/base-runtime.ts'
import type { NodeRelease } from '../node/program-version.ts'
import { eachPlacement } from '../plan/placed-tree.ts'
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
  const placements = layers.flatMap((layer) => Array.from(eachPlacement(layer.placements)))
  if (placements.length === 0) return undefined
  const { hostBaseRuntime } = await import('../node/host-provides.ts')
  return hostBaseRuntime(placements, () => runningRelease(environment))
}

/** The program itself tells of a release that is newer than this tool. */
async function runningRelease({ node }: Environment): Promise<NodeRelease> {
  const { modulesOf } = await import('../node/node-abi.ts')
  const { version, execPath } = node
  const modules = modulesOf(version)
  if (modules !== undefined) return { version, modules }
  const { readNodeRelease } = await import('../node/program-version.ts')
  return { version, modules: (await readNodeRelease(createReadStream(execPath)))?.modules }
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
