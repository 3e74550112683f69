/** A registry with a base, a folder with a spec, and builds in it, each with a cache of its own where asked. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import {
  build,
  lock,
  OciBuildError,
  processEnvironment,
  type BuildOptions,
  type BuildResult,
} from '../../src/index.ts'
import type { Warning } from '../../src/index.ts'
import { lockFileName } from '../../src/lock/lock.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import { gzipLayer, rawTar, type RawEntry } from '../helpers/hand-made-image.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry, type RegistryOptions, type TestRegistry } from '../helpers/registry/registry.ts'
import { temporaryFolder } from '../helpers/unpack.ts'

export interface Place {
  readonly folder: string
  readonly registry: TestRegistry
  /** `HOST/library/base:1`. */
  readonly base: string
  /** Options over the spec, as `oci.config.json` of the folder. */
  options(spec?: object, more?: BuildOptions): BuildOptions
  readonly lockFile: string
  /** Requests for the bytes of layers, as `METHOD target STATUS`. */
  layerDownloads(): readonly string[]
  /** Requests for what a tag names. */
  tagRequests(): readonly string[]
  /** Puts another base under the tag; its digest. */
  moveTag(extra: readonly RawEntry[], tag?: string): string
}

export const baseLayers: readonly (readonly RawEntry[])[] = [
  [
    { name: 'etc/', mode: 0o755 },
    { name: 'etc/passwd', content: 'root:x:0:0:::\nnode:x:1000:1001:::\n' },
    { name: 'etc/group', content: 'root:x:0:\nnode:x:1001:\nstaff:x:50:\n' },
    { name: 'usr/', mode: 0o755 },
    { name: 'usr/bin/', mode: 0o755 },
    { name: 'usr/bin/env', mode: 0o755, content: 'env' },
    { name: 'usr/bin/sh', mode: 0o755, content: 'sh' },
    { name: 'usr/bin/true', mode: 0o755, content: 'true' },
    { name: 'bin', flag: '2', target: 'usr/bin' },
    { name: 'opt/', mode: 0o750, uid: 5, gid: 6 },
    { name: 'srv/empty/', mode: 0o755 },
  ],
  [{ name: 'etc/motd', content: 'hello\n' }],
]

export const layers: readonly object[] = [
  { name: 'app', entries: [{ file: '/app/server.js', content: 'x', owner: 'node:staff' }] },
  {
    name: 'tools',
    entries: [
      { file: '/bin/tool', content: '#!', mode: '755', owner: 'node' },
      { file: '/opt/data', content: 'd' },
    ],
  },
]

export async function openPlace(options: RegistryOptions = {}): Promise<Place> {
  const folder = temporaryFolder()
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const registry = await forTest(startRegistry(options))
  const layerDigests = new Set<string>()
  const put = (extra: readonly (readonly RawEntry[])[], tag: string): string => {
    const { digest, layers: added } = putBase(registry, [...baseLayers, ...extra], tag)
    for (const layer of added) layerDigests.add(layer)
    return digest
  }
  put([], '1')
  const base = `${registry.host}/library/base:1`
  const lines = (): readonly string[] => registry.lines()
  return {
    folder,
    registry,
    base,
    lockFile: join(folder, lockFileName),
    options(spec = {}, more = {}) {
      const document = {
        name: `${registry.host}/team/app`,
        platforms: ['linux/amd64'],
        base,
        layers,
        outputs: ['registry'],
        ...spec,
      }
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'oci.config.json'), JSON.stringify(document))
      const environment = {
        ...processEnvironment(),
        cwd: folder,
        homeDir: join(folder, 'home'),
        variables: {},
      }
      return { cwd: folder, cacheDir: join(folder, 'cache'), environment, ...more }
    },
    layerDownloads: () =>
      lines().filter(
        (line) => line.startsWith('GET') && [...layerDigests].some((digest) => line.includes(digest)),
      ),
    tagRequests: () =>
      lines().filter((line) => /^(?:GET|HEAD) \/v2\/library\/base\/manifests\/(?!sha256:)/.test(line)),
    moveTag: (extra, tag = '1') => put([extra], tag),
  }
}

/** An index of two platforms over the same layers. */
function putBase(
  { state }: TestRegistry,
  all: readonly (readonly RawEntry[])[],
  tag: string,
): { readonly digest: string; readonly layers: readonly string[] } {
  const name = 'library/base'
  const made = all.map((entries) => gzipLayer(rawTar(entries)))
  const stored = made.map(({ mediaType, bytes }) => ({
    mediaType,
    digest: state.addBlob(name, bytes),
    size: bytes.length,
  }))
  const manifests = ['amd64', 'arm64'].map((architecture) => {
    const config = Buffer.from(
      JSON.stringify({
        os: 'linux',
        architecture,
        config: { Cmd: ['/bin/sh'] },
        rootfs: { type: 'layers', diff_ids: made.map(({ diffId }) => diffId) },
      }),
    )
    const descriptor = {
      mediaType: mediaTypes.config,
      digest: state.addBlob(name, config),
      size: config.length,
    }
    const bytes = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        config: descriptor,
        layers: stored,
      }),
    )
    const digest = state.addManifest(name, mediaTypes.manifest, bytes)
    return {
      mediaType: mediaTypes.manifest,
      digest,
      size: bytes.length,
      platform: { os: 'linux', architecture },
    }
  })
  const digest = state.addManifest(
    name,
    mediaTypes.index,
    { schemaVersion: 2, mediaType: mediaTypes.index, manifests },
    [tag],
  )
  return { digest, layers: stored.map((layer) => layer.digest) }
}

/** Locks, forgets the requests of it and gives options of a build in a clean cache. */
export async function lockedBuild(
  place: Place,
  spec: object = {},
  more: BuildOptions = {},
): Promise<BuildOptions> {
  await lock(place.options(spec))
  place.registry.forgetRequests()
  return place.options(spec, { cacheDir: join(place.folder, 'clean'), ...more })
}

/** The digest of each platform's manifest, and of the whole. */
export async function digestsOf(options: BuildOptions): Promise<readonly string[]> {
  return digestsIn(await build(options))
}

export function digestsIn({ images }: BuildResult): readonly string[] {
  return images.flatMap(({ digest, platforms }) => [digest, ...platforms.map((platform) => platform.digest)])
}

export function codes({ warnings }: { readonly warnings: readonly Warning[] }): readonly string[] {
  return warnings.map(({ code }) => code)
}

export async function errorOf(work: Promise<unknown>): Promise<OciBuildError> {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  if (error instanceof OciBuildError) return error
  throw new Error(`wanted an OciBuildError, got ${String(error)}`)
}
