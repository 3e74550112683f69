/** One image's checked words with every default filled in. */

import { basename, resolve } from 'node:path'
import type { Environment } from '../environment.ts'
import { messageOf, OciBuildError } from '../errors.ts'
import { parsePlatform, samePlatform, type Platform } from '../spec/platform.ts'
import { parseReference } from '../spec/parse-reference.ts'
import type { Reference } from '../spec/reference.ts'
import { overrideOutputs, overridePlatforms, overrideTags } from './apply-overrides.ts'
import { checkLayers, type CheckedImage } from './check-spec.ts'
import { parseCompressions } from './grammar.ts'
import { imageMetadata } from './image-metadata.ts'
import type { LoadedConfig } from './load-config.ts'
import type { SpecOverrides } from './overrides.ts'
import { absolutely, seenFrom } from './place-reference.ts'
import { parseSource } from './parse-source.ts'
import { repositoryOfPackage, sanitiseName } from './package-json.ts'
import { resolveLayers } from './resolve-layers.ts'
import { resolveCreated, resolveImageConfig } from './resolve-words.ts'
import type { ImageSpec, LayerSpec, NodeSpec } from './resolved-spec.ts'
import type { BuildSpec, CompressionWords, NodeWords } from './spec-types.ts'
import { present } from './schema-tools.ts'

export function resolveImage(
  loaded: LoadedConfig,
  checked: CheckedImage,
  overrides: SpecOverrides,
  environment: Environment,
): ImageSpec {
  const { spec, image } = checked
  const tagged = overrideTags(overrides.tags)
  const named =
    overridePlatforms(overrides.platforms) ?? present(spec.platforms).map((text) => parsePlatform(text))
  const platforms = unique(named.length > 0 ? named : [hostPlatform(environment)])
  const root = resolve(loaded.folder, spec.root ?? '.')
  const compression = parseCompressions(overrides.compression ?? compressionWords(spec.compression))
  const describedBy: ImageSpec['describedBy'] = (packageJson) => {
    const metadata = imageMetadata(spec.metadata ?? 'auto', packageJson, loaded.git)
    return {
      annotations: mergeAnnotations(metadata, spec.annotations, overrides.annotations),
      metadataLabels: metadata,
    }
  }
  const baseText = overrides.base ?? spec.base ?? 'scratch'
  const tags = tagged?.tags ?? present(spec.tags)
  return {
    image,
    name: tagged?.name ?? spec.name ?? defaultName(loaded, image),
    tags: tags.length > 0 ? tags : ['latest'],
    base:
      overrides.base === undefined
        ? parseSource(baseText)
        : absolutely(parseSource(baseText), environment.cwd),
    baseText,
    baseDefaulted: overrides.base === undefined && spec.base === undefined,
    node: spec.node === undefined ? undefined : resolveNode(spec.node),
    platforms,
    platformsDefaulted: named.length === 0,
    root,
    prepare: present(spec.prepare),
    layersFor: async (platform): Promise<readonly LayerSpec[]> => {
      const words =
        typeof checked.layers === 'function' ? await callLayers(checked, platform) : checked.layers
      const layers = await checkLayers(loaded, checked, words ?? [], platform)
      return resolveLayers(layers, { platform, compression, root, locate: checked.locate })
    },
    config: resolveImageConfig(spec.config, overrides.labels),
    ...describedBy(loaded.packageJson),
    describedBy,
    compression,
    createdSeconds: resolveCreated(spec.created, loaded.git, environment.variables),
    index: spec.index ?? false,
    formatVersion: 1,
    outputs: resolveOutputs(overrides, present(spec.outputs), image, tagged?.others ?? [], (word) =>
      seenFrom(parseReference(word, 'out'), loaded.folder, environment.cwd),
    ),
  }
}

function compressionWords(words: BuildSpec['compression']): CompressionWords | readonly CompressionWords[] {
  if (words === undefined) return 'gzip'
  return typeof words === 'string' || 'type' in words ? words : present(words)
}

/** Fills in every default of the node section. */
export function resolveNode(words: true | NodeWords): NodeSpec {
  const node: NodeWords = words === true ? {} : words
  const { workingDir = '/app' } = node
  return {
    package: node.package,
    entry: node.entry,
    dependencies: node.dependencies,
    include: present(node.include),
    exclude: present(node.exclude),
    allow: present(node.allow),
    writable: present(node.writable).map(withoutSlash),
    workingDir: withoutSlash(workingDir),
    init: node.init ?? false,
  }
}

function withoutSlash(path: string): string {
  return path.replace(/(?<=.)\/+$/, '')
}

/** What an image is for when nobody says. */
export function hostPlatform(environment: Pick<Environment, 'hostArchitecture'>): Platform {
  const { hostArchitecture } = environment
  // Node.js says `arm` for v6 and v7 alike; v7 is what containerd takes a bare arm for.
  return hostArchitecture === 'arm'
    ? parsePlatform('linux/arm/v7')
    : parsePlatform(`linux/${hostArchitecture}`)
}

/** One image for each: `linux/arm64` and `linux/arm64/v8` are two names of one. */
function unique(platforms: readonly Platform[]): readonly Platform[] {
  return platforms.filter(
    (platform, index) => platforms.findIndex((other) => samePlatform(other, platform)) === index,
  )
}

/** Of several images, the key in `images`: they would overwrite one another under the package's name. */
function defaultName(loaded: LoadedConfig, image: string | undefined): string {
  if (image !== undefined) return sanitiseName(image) ?? 'image'
  return repositoryOfPackage(loaded.packageJson?.name) ?? sanitiseName(basename(loaded.folder)) ?? 'image'
}

async function callLayers(checked: CheckedImage, platform: Platform): Promise<unknown> {
  const { os, architecture, variant } = platform
  const context = { platform: variant === undefined ? { os, architecture } : { os, architecture, variant } }
  try {
    const layers: unknown =
      typeof checked.layers === 'function' ? Reflect.apply(checked.layers, undefined, [context]) : undefined
    return await layers
  } catch (error) {
    if (error instanceof OciBuildError) throw error
    throw new OciBuildError('OCB-SPEC-LOAD', {
      message: `the function in "layers" failed for ${os}/${architecture}: ${messageOf(error)}`,
      hint: 'fix the function; it is called with { platform }',
      cause: error,
    })
  }
}

/** The command line's over the user's over metadata's; null leaves one out. */
function mergeAnnotations(
  metadata: Readonly<Record<string, string>>,
  words: Readonly<Record<string, string | null>> | null | undefined,
  overrides: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  const merged: Record<string, string> = {}
  for (const [key, value] of Object.entries({ ...metadata, ...words, ...overrides })) {
    if (value !== null) merged[key] = value
  }
  return merged
}

function resolveOutputs(
  overrides: SpecOverrides,
  words: readonly string[],
  image: string | undefined,
  otherNames: readonly string[],
  place: (word: string) => Reference,
): readonly Reference[] {
  const given = overrideOutputs(overrides) ?? words.map(place)
  const outputs = given.length > 0 ? given : [place(`oci:.ocibuild/${image ?? 'image'}`)]
  if (otherNames.length === 0) return outputs
  if (outputs.some((output) => output.transport === 'registry')) {
    return [...outputs, ...otherNames.map((name) => parseReference(name, 'out'))]
  }
  throw new OciBuildError('OCB-USAGE-TAG', {
    message: `--tag names more than one repository; without a push an image has one name`,
    hint: 'tag with one name, or add --push',
  })
}
