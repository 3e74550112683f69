/** Words become data: checks a loaded config whole and fills in every default, the command line's words on top. */

import { resolve } from 'node:path'
import type { Environment } from '../environment.ts'
import { OciBuildError } from '../errors.ts'
import { checkSpec, type CheckedSpec } from './check-spec.ts'
import { joinWords } from './describe-value.ts'
import type { LoadedConfig } from './load-config.ts'
import { nearest } from './nearest.ts'
import { outputNames } from '../spec/output-names.ts'
import { formatReference, parseReference } from '../spec/parse-reference.ts'
import type { LayoutReference, Reference } from '../spec/reference.ts'
import type { SpecOverrides } from './overrides.ts'
import { resolveImage } from './resolve-image.ts'
import type { ImageSpec, ResolvedSpec } from './resolved-spec.ts'
import { present } from './schema-tools.ts'

export interface ResolveOptions {
  /** Absolute: what outputs are relative to. */
  readonly cwd: string
  /** Keys of `images`. Default: all. */
  readonly images?: readonly string[] | undefined
  readonly environment: Environment
}

/**
 * Throws `OCB-SPEC-INVALID` with every problem, `OCB-SPEC-UNSUPPORTED`, `OCB-USAGE-IMAGE`, `OCB-SPEC-REF-CONFLICT`,
 * `OCB-USAGE-TAG`, `OCB-USAGE-SOURCE-DATE-EPOCH`, and the grammar's errors for words of the command line.
 */
export async function resolveConfig(
  loaded: LoadedConfig,
  overrides: SpecOverrides,
  options: ResolveOptions,
): Promise<ResolvedSpec> {
  const checked = await checkSpec(loaded)
  const names = checked.images.map((image) => image.image)
  checkImageNames(names, options.images)
  const wanted = checked.images.filter(
    ({ image }) => !options.images?.length || (image !== undefined && options.images.includes(image)),
  )
  const images = wanted.map((image) => resolveImage(loaded, image, overrides, options.environment))
  checkPlaces(images, options.cwd)
  checkRefConflicts(images, options.cwd)
  const single = images.length === 1 && images[0]?.image === undefined ? images[0] : undefined
  return {
    configFile: loaded.file,
    root: single?.root ?? loaded.folder,
    prepare: present(checked.prepare),
    registries: registriesOf(checked),
    folder: loaded.folder,
    images,
    outputPaths: [
      ...checked.images.flatMap(({ spec }) => pathsOf(present(spec.outputs), loaded.folder)),
      ...pathsOf(
        images.flatMap((image) => image.outputs),
        options.cwd,
      ),
    ],
  }
}

/** Where outputs lie on disk: an earlier image, written there, is no part of the next one. */
function pathsOf(outputs: readonly (string | Reference)[], folder: string): readonly string[] {
  return outputs.flatMap((output) => {
    const reference = typeof output === 'string' ? parseReference(output, 'out') : output
    return 'path' in reference && reference.path !== '-' ? resolve(folder, reference.path) : []
  })
}

/** The top's, and those of images: settings are of hosts, not of images. */
function registriesOf(checked: CheckedSpec): ResolvedSpec['registries'] {
  const all = [checked.registries, ...checked.images.map(({ spec }) => spec.registries)]
  return Object.assign({}, ...all.map((registries) => registries ?? {}))
}

function checkImageNames(
  names: readonly (string | undefined)[],
  wanted: readonly string[] | undefined,
): void {
  const known = names.filter((name) => name !== undefined)
  const unknown = (wanted ?? []).filter((name) => !known.includes(name))
  if (unknown.length === 0) return
  const asked = joinWords(
    unknown.map((name) => JSON.stringify(name)),
    'and',
  )
  const near = nearest(unknown[0] ?? '', known)
  throw new OciBuildError('OCB-USAGE-IMAGE', {
    message:
      known.length === 0
        ? `asked for ${asked}, but the spec has one image without a name`
        : `asked for ${asked}, but the spec has ${joinWords(known, 'and')}`,
    hint:
      known.length === 0
        ? 'leave the name out, or write the spec with "images"'
        : `name one of ${joinWords(known, 'or')}${near ? `; did you mean ${near}?` : ''}`,
  })
}

/** One file or folder that would have to be two things: a layout and an archive, or two kinds of archive. */
function checkPlaces(images: readonly ImageSpec[], cwd: string): void {
  const seen = new Map<string, LayoutReference>()
  for (const output of images.flatMap((image) => image.outputs)) {
    if (!('path' in output)) continue
    const place = output.path === '-' ? '-' : resolve(cwd, output.path)
    const other = seen.get(place)
    if (other !== undefined && other.transport !== output.transport) {
      throw new OciBuildError('OCB-SPEC-REF-CONFLICT', {
        message: `the outputs ${formatReference(other)} and ${formatReference(output)} would both write ${place === '-' ? 'stdout' : place}`,
        hint: 'give one of them another path',
      })
    }
    seen.set(place, output)
  }
}

/** Two images that write one ref of one place. */
function checkRefConflicts(images: readonly ImageSpec[], cwd: string): void {
  const seen = new Map<string, ImageSpec>()
  for (const image of images) {
    for (const ref of writtenRefs(image, cwd)) {
      const other = seen.get(ref)
      if (other && other !== image) {
        throw new OciBuildError('OCB-SPEC-REF-CONFLICT', {
          message: `the images ${other.image} and ${image.image} would both write ${ref}`,
          hint: `give them other names, tags or outputs`,
        })
      }
      seen.set(ref, image)
    }
  }
}

function writtenRefs(image: ImageSpec, cwd: string): string[] {
  return image.outputs.flatMap((output) => {
    switch (output.transport) {
      case 'registry':
        return image.tags.map((tag) => `${image.name}:${tag}`)
      case 'docker':
        return `${output.host}/${output.repository}:${output.tag ?? 'latest'}`
      case 'oci':
      case 'oci-archive':
      case 'docker-archive': {
        const place = output.path === '-' ? '-' : resolve(cwd, output.path)
        return outputNames(output, image.name, image.tags).map(
          ({ reference }) => `${output.transport}:${place}:${reference}`,
        )
      }
      default:
        return []
    }
  })
}
