/** Checks what a config file says, whole, before anything is read or run: every fault at once. */

import { basename } from 'node:path'
import { OciBuildError, type Problem } from '../errors.ts'
import { parsePlatform, type Platform } from '../spec/platform.ts'
import { checkShape, isPlainObject } from './check-shape.ts'
import type { Fault, Path } from './fault.ts'
import { formatPath } from './describe-value.ts'
import { interpolate } from './interpolate.ts'
import type { LoadedConfig } from './load-config.ts'
import { isFromImage, mergeSpec } from './merge-spec.ts'
import { layerListSchema } from './schema-entries.ts'
import { buildSpecSchema, multiSpecSchema } from './schema.ts'
import type { BuildSpec, LayerList, MultiSpec } from './spec-types.ts'

/** One image's words: merged, its variables filled in but for those of layers, and checked. */
export interface CheckedImage {
  /** Its key in `images`. */
  readonly image: string | undefined
  readonly spec: BuildSpec
  /** The layers as they were loaded; an array has its variables filled in per platform by `checkLayers`. */
  readonly layers: unknown
  /** Where a path of the spec stands in the file. */
  locate(path: Path): Path
}

export interface CheckedSpec {
  /** The top's own, of a spec of several images. */
  readonly prepare: MultiSpec['prepare']
  readonly registries: MultiSpec['registries']
  readonly images: readonly CheckedImage[]
}

/**
 * Checks a whole spec. Throws `OCB-SPEC-INVALID` with every problem, or `OCB-SPEC-UNSUPPORTED` when all that is
 * wrong with it is that it uses words of a later release.
 */
export async function checkSpec(loaded: LoadedConfig): Promise<CheckedSpec> {
  const first = checkWords(loaded, undefined)
  if (first.faults.length === 0) return first.checked
  // How words are written in the file matters to messages only, and telling it loads a parser.
  const sourceOf = loaded.positions === undefined ? undefined : (await loaded.positions()).sourceOf
  await throwFaults(loaded, checkWords(loaded, sourceOf).faults)
  return first.checked
}

function checkWords(
  loaded: LoadedConfig,
  sourceOf: SourceOf,
): { readonly faults: readonly Fault[]; readonly checked: CheckedSpec } {
  const faults: Fault[] = []
  const value = withoutExtensions(loaded.value)
  if (!isPlainObject(value) || !('images' in value || 'defaults' in value)) {
    const image = checkImage(loaded, undefined, value, (path) => path, faults, sourceOf)
    return { faults, checked: { prepare: undefined, registries: undefined, images: [image] } }
  }
  const { defaults, images } = value
  faults.push(...checkTop(loaded, value, sourceOf))
  const checked: CheckedImage[] = []
  for (const [name, words] of Object.entries(isPlainObject(images) ? images : {})) {
    const locate = (path: Path): Path =>
      isFromImage(defaults, words, path) ? ['images', name, ...path] : ['defaults', ...path]
    checked.push(checkImage(loaded, name, mergeSpec(defaults, words), locate, faults, sourceOf))
  }
  const fill = (key: string): unknown => interpolate(value[key], loaded.scope, loaded.variables, [], [key])
  const prepare = fill('prepare')
  const registries = fill('registries')
  return {
    faults,
    checked: {
      prepare: isList(prepare) ? prepare : undefined,
      registries: isChecked<MultiSpec['registries']>(registries) ? registries : undefined,
      images: checked,
    },
  }
}

/** Fills in and checks an image's layers for a platform. Throws as `checkSpec` does. */
export async function checkLayers(
  loaded: LoadedConfig,
  image: CheckedImage,
  layers: unknown,
  platform: Platform,
): Promise<LayerList> {
  const faults: Fault[] = []
  const variables = { ...loaded.variables, platform }
  const filled = interpolate(layers, loaded.scope, variables, faults, ['layers'])
  faults.push(...checkShape(layerListSchema, filled, ['layers'], {}))
  await throwFaults(
    loaded,
    faults.map((fault) => ({ ...fault, path: image.locate(fault.path) })),
  )
  return isChecked<LayerList>(filled) ? filled : []
}

type SourceOf = ((path: Path) => string | undefined) | undefined

function checkImage(
  loaded: LoadedConfig,
  image: string | undefined,
  value: unknown,
  locate: (path: Path) => Path,
  faults: Fault[],
  sourceOf: SourceOf,
): CheckedImage {
  const found: Fault[] = []
  const filled = fillSpec(loaded, value, found)
  const options = { sourceOf: sourceOf && ((path: Path): string | undefined => sourceOf(locate(path))) }
  // A string whose variable is missing is wrong once.
  const unfilled = new Set(found.map((fault) => formatPath(fault.path)))
  const wrong = [...checkShape(buildSpecSchema, filled, [], options), ...checkNode(filled)]
  found.push(...wrong.filter((fault) => !unfilled.has(formatPath(fault.path))))
  faults.push(...found.map((fault) => ({ ...fault, path: locate(fault.path) })))
  const layers = isPlainObject(value) ? value['layers'] : undefined
  return { image, spec: isChecked<BuildSpec>(filled) ? filled : {}, layers, locate }
}

/** Fills in all variables; those of layers for the first platform, so that they can be checked. */
function fillSpec(loaded: LoadedConfig, value: unknown, faults: Fault[]): unknown {
  if (!isPlainObject(value)) return value
  const { layers, ...rest } = value
  const filled = interpolate(rest, loaded.scope, loaded.variables, faults, [])
  if (layers === undefined || !isPlainObject(filled)) return filled
  const platform = firstPlatform(filled['platforms'])
  const inLayers = interpolate(layers, loaded.scope, { ...loaded.variables, platform }, faults, ['layers'])
  // The user's order of keys is the order of the problems.
  return Object.fromEntries(Object.keys(value).map((key) => [key, key === 'layers' ? inLayers : filled[key]]))
}

function firstPlatform(platforms: unknown): Platform {
  const first: unknown = Array.isArray(platforms)
    ? platforms.find((item) => typeof item === 'string')
    : undefined
  try {
    if (typeof first === 'string') return parsePlatform(first)
  } catch {
    // The check of `platforms` itself says what is wrong with it.
  }
  return { os: 'linux', architecture: 'amd64' }
}

function checkNode(value: unknown): Fault[] {
  const node = isPlainObject(value) ? value['node'] : undefined
  if (!isPlainObject(node)) return []
  if (node['workingDir'] === '/') {
    return [
      {
        path: ['node', 'workingDir'],
        message: 'found "/", wanted a folder of its own for the app like "/app"',
      },
    ]
  }
  return []
}

/** The top of a spec of several images; the images themselves are checked merged. */
function checkTop(
  loaded: LoadedConfig,
  value: Readonly<Record<string, unknown>>,
  sourceOf: SourceOf,
): Fault[] {
  const faults: Fault[] = []
  const { images, defaults, ...rest } = value
  const filled = interpolate(rest, loaded.scope, loaded.variables, faults, [])
  const shell = { ...(isPlainObject(filled) ? filled : {}), images: {} }
  for (const fault of checkShape(multiSpecSchema, shell, [], { sourceOf })) {
    const [key] = fault.path
    const belongs = typeof key === 'string' && fault.atKey && isKeyOfSpec(key)
    faults.push(
      belongs ? { ...fault, message: `"${key}" stands beside "images"; put it under "defaults"` } : fault,
    )
  }
  if (!isPlainObject(images) || Object.keys(images).length === 0) {
    faults.push({ path: ['images'], message: 'found no images, wanted an object of names and specs' })
    return faults
  }
  if (defaults !== undefined && defaults !== null && !isPlainObject(defaults)) {
    faults.push({ path: ['defaults'], message: 'found no object, wanted the words that all images share' })
  }
  for (const [name, words] of Object.entries(images)) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name)) {
      const message = `found the name ${JSON.stringify(name)}, wanted letters, digits, "_", "." and "-"`
      faults.push({ path: ['images', name], message, atKey: true })
    }
    if (words === null)
      faults.push({ path: ['images', name], message: 'found nothing, wanted an object: {}' })
  }
  return faults
}

function isKeyOfSpec(key: string): boolean {
  return (
    'entries' in buildSpecSchema && isPlainObject(buildSpecSchema.entries) && key in buildSpecSchema.entries
  )
}

/** Drops `x-…`, where YAML's anchors live, and the `$schema` that editors read. */
function withoutExtensions(value: unknown): unknown {
  if (!isPlainObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).filter(([key]) => !key.startsWith('x-') && key !== '$schema'),
  )
}

async function throwFaults(loaded: LoadedConfig, faults: readonly Fault[]): Promise<void> {
  if (faults.length === 0) return
  const positions = await loaded.positions?.()
  const problems: Problem[] = []
  for (const { path, message, atKey } of faults) {
    const text = formatPath(path)
    // What stands in `defaults` is checked with every image and is wrong once.
    if (problems.some((problem) => problem.path === text && problem.message === message)) continue
    problems.push({ path: text, message, file: loaded.file, ...positions?.positionOf(path, atKey) })
  }
  // Stable: what stands at one place, or at none, keeps the order in which it was found.
  problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
  const name = loaded.file === undefined ? 'the spec' : basename(loaded.file)
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
  if (faults.every((fault) => fault.later)) {
    throw new OciBuildError('OCB-SPEC-UNSUPPORTED', {
      message: `${name} uses what this release does not have yet: ${problems.map((problem) => problem.path).join(', ')}`,
      hint: 'leave it out, or use a release that has it',
      problems,
    })
  }
  throw new OciBuildError('OCB-SPEC-INVALID', {
    message: `${name} has ${count}`,
    hint: problems.length === 1 ? 'fix it and run again' : 'fix them and run again',
    problems,
  })
}

// The schema has just passed the value; this only tells the compiler.
function isChecked<T>(value: unknown): value is T {
  return value !== undefined
}

function isList(value: unknown): value is MultiSpec['prepare'] {
  return Array.isArray(value)
}
