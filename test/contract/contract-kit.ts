/** Builds a spec over a few files by the whole pipeline, and says what GNU tar sees in the layers. */

import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { onTestFinished } from 'vitest'
import type { BuildOptions, BuildPlan, BuildResult } from '../../src/build-types.ts'
import { build, createPlan } from '../../src/build.ts'
import { processEnvironment } from '../../src/environment.ts'
import { OciBuildError } from '../../src/errors.ts'
import type { ImageConfig } from '../../src/spec/image-config.ts'
import { parseImageConfig } from '../../src/spec/parse-image-config.ts'
import { listTar, type ListedEntry } from '../helpers/gnu-tar.ts'
import { blobPath, readManifest } from '../helpers/unpack.ts'
import { fillFolder, type Made } from '../plan/plan-helpers.ts'

export type Words = Readonly<Record<string, unknown>>

/** A folder that a user works in. */
export interface Desk {
  readonly folder: string
  /** What stands in no spec of a test is the same in all. */
  build(spec: Words, options?: BuildOptions): Promise<Image>
  plan(spec: Words, options?: BuildOptions): Promise<BuildPlan>
  /** The error of a build that must fail. */
  failure(spec: Words, options?: BuildOptions): Promise<OciBuildError>
}

export interface Image {
  readonly result: BuildResult
  /** Where it was written. */
  readonly layout: string
  layer(position: number, platform?: string): readonly ListedEntry[]
  /** `drwxr-xr-x 0:0 app/`, `lrwxrwxrwx 0:0 a -> b`: all layers, one after another. */
  lines(platform?: string): readonly string[]
  /** The names alone, with the target of links. */
  names(platform?: string): readonly string[]
  config(platform?: string): ImageConfig
}

export function openDesk(
  files: Readonly<Record<string, Made>> = {},
  variables: Readonly<Record<string, string>> = {},
): Desk {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ocibuild-contract-')))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  fillFolder(folder, files)
  const environment = {
    ...processEnvironment(),
    cwd: folder,
    variables: { PATH: process.env['PATH'], GIT_CEILING_DIRECTORIES: tmpdir(), ...variables },
  }
  const withDefaults = (spec: Words, options: BuildOptions = {}): BuildOptions => ({
    cwd: folder,
    cacheDir: join(folder, '.cache'),
    environment,
    spec: { name: 'app', platforms: ['linux/amd64'], outputs: ['oci:.ocibuild/image'], ...spec },
    ...options,
  })
  return {
    folder,
    build: async (spec, options) =>
      imageOf(join(folder, '.ocibuild/image'), await build(withDefaults(spec, options))),
    plan: (spec, options) => createPlan(withDefaults(spec, options)),
    async failure(spec, options) {
      try {
        await build(withDefaults(spec, options))
      } catch (error) {
        if (error instanceof OciBuildError) return error
        throw error
      }
      throw new Error('the build did not fail')
    },
  }
}

function imageOf(layout: string, result: BuildResult): Image {
  const tag = result.images[0]?.tags[0] ?? 'latest'
  const layer = (position: number, platform?: string): readonly ListedEntry[] => {
    const descriptor = readManifest(layout, tag, platform).layers[position]
    if (!descriptor) throw new Error(`there is no layer ${position}`)
    const bytes = readFileSync(blobPath(layout, descriptor))
    return listTar(descriptor.mediaType.endsWith('gzip') ? gunzipSync(bytes) : bytes)
  }
  const all = (platform?: string): readonly ListedEntry[] =>
    readManifest(layout, tag, platform).layers.flatMap((_, position) => layer(position, platform))
  const link = ({ mode, target }: ListedEntry): string =>
    target === undefined ? '' : `${mode.startsWith('h') ? ' =>' : ' ->'} ${target}`
  return {
    result,
    layout,
    layer,
    lines: (platform) =>
      all(platform).map((entry) => `${entry.mode} ${entry.uid}:${entry.gid} ${entry.name}${link(entry)}`),
    names: (platform) => all(platform).map((entry) => `${entry.name}${link(entry)}`),
    config: (platform) =>
      parseImageConfig(readFileSync(blobPath(layout, readManifest(layout, tag, platform).config))),
  }
}
