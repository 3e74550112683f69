/** Folders with a config file, and what becomes of it. */

import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { loadConfig } from '../../src/config/load-config.ts'
import type { SpecOverrides } from '../../src/config/overrides.ts'
import { resolveConfig } from '../../src/config/resolve-config.ts'
import type { ImageSpec, ResolvedSpec } from '../../src/config/resolved-spec.ts'
import { processEnvironment, type Environment } from '../../src/environment.ts'
import { OciBuildError } from '../../src/errors.ts'

/** A new folder with these files in it. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ocibuild-config-')))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** This process's environment with other variables; git looks no further up than the temporary folder. */
export function environmentWith(variables: Readonly<Record<string, string | undefined>> = {}): Environment {
  const { PATH, HOME } = process.env
  return {
    ...processEnvironment(),
    hostArchitecture: 'amd64',
    variables: {
      PATH,
      HOME,
      GIT_CEILING_DIRECTORIES: realpathSync(tmpdir()),
      GIT_CONFIG_GLOBAL: '/dev/null',
      ...variables,
    },
  }
}

export interface Given {
  readonly overrides?: SpecOverrides | undefined
  readonly images?: readonly string[] | undefined
  readonly args?: Readonly<Record<string, string>> | undefined
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
  readonly config?: string | undefined
}

export async function resolveFolder(folder: string, given: Given = {}): Promise<ResolvedSpec> {
  const environment = { ...environmentWith(given.variables), cwd: folder }
  const loaded = await loadConfig({ cwd: folder, config: given.config, args: given.args, environment })
  return resolveConfig(loaded, given.overrides ?? {}, { cwd: folder, images: given.images, environment })
}

export async function resolveValue(spec: unknown, given: Given = {}): Promise<ResolvedSpec> {
  const cwd = folderWith({})
  const environment = { ...environmentWith(given.variables), cwd }
  const loaded = await loadConfig({ cwd, spec, args: given.args, environment })
  return resolveConfig(loaded, given.overrides ?? {}, { cwd, images: given.images, environment })
}

export function only(resolved: ResolvedSpec): ImageSpec {
  const [image, ...others] = resolved.images
  if (!image || others.length > 0) throw new Error(`wanted one image, got ${resolved.images.length}`)
  return image
}

/** The error that a promise must reject with. */
export async function errorOf(promise: Promise<unknown>): Promise<OciBuildError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof OciBuildError) return error
    throw error
  }
  throw new Error('wanted a rejection')
}

/** The problems of a spec, as `path: message`. */
export async function problemsOf(promise: Promise<unknown>): Promise<string[]> {
  const { problems } = await errorOf(promise)
  return problems.map(({ path, message }) => `${path}: ${message}`)
}
