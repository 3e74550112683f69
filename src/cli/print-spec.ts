/** `plan --spec`: the config as it was understood, every default filled in. */

import type { BuildOptions } from '../build-types.ts'
import { formatCompressions } from '../config/grammar.ts'
import { loadConfig } from '../config/load-config.ts'
import { resolveConfig } from '../config/resolve-config.ts'
import type { EntrySpec, ImageSpec, LayerSpec, ResolvedSpec } from '../config/resolved-spec.ts'
import type { Environment } from '../environment.ts'
import { formatReference } from '../spec/parse-reference.ts'
import { formatPlatform } from '../spec/platform.ts'
import type { CliContext } from './context.ts'

/** Prints the resolved spec on stdout: as YAML, or as JSON. */
export async function printSpec(
  options: BuildOptions & { readonly cwd: string; readonly environment: Environment },
  output: { readonly json: boolean },
  context: CliContext,
): Promise<void> {
  const { cwd, config, args, git, environment, images, overrides = {} } = options
  const loaded = await loadConfig({ cwd, config, args, git, environment })
  const spec = await viewSpec(await resolveConfig(loaded, overrides, { cwd, images, environment }))
  if (output.json) return context.stdout(`${JSON.stringify(spec, null, 2)}\n`)
  const { stringify } = await import('yaml')
  // By way of JSON, as what is undefined there is absent.
  const plain: unknown = JSON.parse(JSON.stringify(spec))
  context.stdout(stringify(plain, { lineWidth: 0, aliasDuplicateObjects: false }))
}

/** A resolved spec as JSON-able data: references and platforms as words, modes in octal, layers per platform. */
export async function viewSpec(spec: ResolvedSpec): Promise<Readonly<Record<string, unknown>>> {
  const images: unknown[] = []
  for (const image of spec.images) images.push(await viewImage(image))
  const { configFile = null, root, prepare } = spec
  return { schemaVersion: 1, configFile, root, prepare, images }
}

async function viewImage(image: ImageSpec): Promise<Readonly<Record<string, unknown>>> {
  const platforms: unknown[] = []
  for (const platform of image.platforms) {
    const layers = await image.layersFor(platform)
    platforms.push({ platform: formatPlatform(platform), layers: layers.map(viewLayer) })
  }
  const { name, tags, baseText, root, prepare, config, annotations, index, formatVersion } = image
  return {
    image: image.image ?? null,
    name,
    tags,
    base: formatReference(image.base),
    ...(formatReference(image.base) === baseText ? {} : { baseAsWritten: baseText }),
    root,
    prepare,
    config: { ...config, labels: { ...image.metadataLabels, ...config.labels } },
    annotations,
    created: new Date(image.createdSeconds * 1000).toISOString().replace('.000Z', 'Z'),
    index,
    formatVersion,
    outputs: image.outputs.map(formatReference),
    platforms,
  }
}

function viewLayer({ name, at, compression, entries }: LayerSpec): Readonly<Record<string, unknown>> {
  return { name, at, compression: formatCompressions(compression), entries: entries.map(viewEntry) }
}

function viewEntry(entry: EntrySpec): Readonly<Record<string, unknown>> {
  const { verb: _verb, at, ...fields } = entry
  const view: Record<string, unknown> = { at }
  for (const [key, value] of Object.entries(fields)) view[key] = viewField(key, value)
  if ('from' in entry && entry.from !== undefined) view['from'] = formatReference(entry.from)
  // `list` says how `copy` was written, which its own form shows as well.
  delete view['list']
  if (entry.verb === 'copy' && !entry.list && entry.copy.length === 1) view['copy'] = entry.copy[0]
  return view
}

function viewField(key: string, value: unknown): unknown {
  if (typeof value === 'number' && (key === 'mode' || key === 'dirMode')) {
    return value.toString(8).padStart(4, '0')
  }
  if (!(value instanceof Uint8Array)) return value
  const text = Buffer.from(value).toString('utf8')
  return Buffer.from(text).equals(value) ? text : { base64: Buffer.from(value).toString('base64') }
}
