/** Any reference as a place to read an image from, to copy one to, or to change tags in. */

import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import type { CopyGraphOptions } from '../content/copy-graph.ts'
import type { Target } from '../content/store.ts'
import type { Environment } from '../environment.ts'
import { OciBuildError } from '../errors.ts'
import { openLayout } from '../layout/layout-store.ts'
import { openOutput, openSource, type ImageSource, type OutputContext } from '../open-target.ts'
import { openRegistry } from '../registry/registry-store.ts'
import type { RegistryContext } from '../registry/registry-context.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import { outputNames, type ImageName } from '../spec/output-names.ts'
import { formatReference } from '../spec/parse-reference.ts'
import { isTag, parseRepositoryReference } from '../spec/parse-repository.ts'
import type { LayoutReference, Reference, RegistryReference } from '../spec/reference.ts'

export interface PlaceContext {
  /** What relative paths are relative to; absolute. */
  readonly cwd: string
  readonly environment: Environment
  /** Where compressed archives are unpacked; the caller removes it. */
  readonly spoolDir: string
  readonly registries: RegistryContext
  readonly signal?: AbortSignal | undefined
  /** Where the output `-` goes; called only where that is written. */
  readonly openStdout?: (() => Writable | undefined) | undefined
}

/** Opens the image that a reference names, wherever it is. Throws `OCB-REFERENCE-NOT-FOUND`, and what stores throw. */
export async function openImage(reference: Reference, context: PlaceContext): Promise<ImageSource> {
  return await openSource(reference, { ...context, openRegistries: async () => context.registries })
}

/** What a registry is asked for: the digest where one is written. */
export function wantedOf({ tag, digest }: RegistryReference): string {
  return digest ?? tag ?? 'latest'
}

export interface TaggedPlace {
  readonly target: Target
  /** The tag or ref name. */
  readonly tag: string
  /** `HOST/NAME` or `oci:DIR`. */
  readonly name: string
  /** Lets tags name what is there, all at once where the place can do that. */
  tagAll(root: Descriptor, tags: readonly string[]): Promise<void>
}

/**
 * Opens the place of a tag that is to be made or changed: in a registry, or in a layout, which is made where it is
 * missing. Throws `OCB-USAGE-TAG` for a digest and for a layout without a ref name, `OCB-USAGE-REFERENCE` for others.
 */
export async function openTagged(
  reference: Reference,
  context: PlaceContext,
  options: { readonly mountFrom?: readonly string[] | undefined } = {},
): Promise<TaggedPlace> {
  const { signal } = context
  const text = formatReference(reference)
  if (reference.transport !== 'docker' && reference.transport !== 'oci') {
    throw new OciBuildError('OCB-USAGE-REFERENCE', {
      message: `${text} has no tags that can be changed`,
      hint: 'name an image in a registry (HOST/NAME:TAG) or in a layout (oci:DIR:NAME)',
    })
  }
  if (reference.digest !== undefined) {
    throw new OciBuildError('OCB-USAGE-TAG', {
      message: `${text} is a digest, which always names the same bytes`,
      hint: 'name a tag',
    })
  }
  if (reference.transport === 'docker') {
    const { host, repository, tag = 'latest' } = reference
    const target = openRegistry(reference, context.registries, { access: 'push', ...options })
    return {
      target,
      tag,
      name: `${host}/${repository}`,
      tagAll: async (root, tags) => void (await target.tagAll(root, tags, { signal })),
    }
  }
  const nowMs = context.environment.wallClockMs()
  const target = await openLayout(resolve(context.cwd, reference.path), { create: true, nowMs })
  return {
    target,
    tag: reference.ref ?? 'latest',
    name: `oci:${reference.path}`,
    async tagAll(root, tags) {
      const bare = bareDescriptor(root)
      await target.tagAll(
        tags.map((tag) => ({ target: bare, reference: tag })),
        { signal },
      )
    },
  }
}

export interface Delivery {
  /** By digest, as commands take it; for an archive as it was written. */
  readonly reference: string
  /** By tag. */
  readonly references: readonly string[]
}

export interface NamedSource extends ImageSource {
  /** What the image is called where the destination does not say it: `ghcr.io/team/app`. */
  readonly name: string
  /** The tag it gets where nothing else says one. */
  readonly tag: string
}

/**
 * Copies an image whole, and lets the destination's own tag and `tags` name it there when all of it is there. No byte
 * is changed. Throws what the stores throw.
 */
export async function deliverImage(
  source: NamedSource,
  destination: Reference,
  tags: readonly string[],
  context: PlaceContext,
  options: Pick<CopyGraphOptions, 'onBlob'> = {},
): Promise<Delivery> {
  if (destination.transport !== 'docker' && !('path' in destination)) {
    throw new OciBuildError('OCB-USAGE-REFERENCE', {
      message: `${formatReference(destination)} is no place to copy an image to`,
      hint: 'name HOST/NAME:TAG, oci:DIR, oci-archive:FILE or docker-archive:FILE',
    })
  }
  const root = bareDescriptor(source.root)
  const { signal } = context
  const output = await openOutput(destination, outputContext(source, destination, context))
  try {
    const names = namesIn(destination, source, tags)
    await output.add(source.store, root, names, { signal, ...options })
    await output.finish({ signal })
    return describeDelivery(destination, names, root.digest)
  } finally {
    await output.abort()
  }
}

function outputContext(
  source: NamedSource,
  destination: LayoutReference | RegistryReference,
  { cwd, environment, registries, openStdout }: PlaceContext,
): OutputContext {
  const from = parseRepositoryReference(source.name)
  const isNear =
    'reference' in from &&
    destination.transport === 'docker' &&
    from.hostWritten &&
    from.reference.host === destination.host
  return {
    cwd,
    environment,
    stdout: 'path' in destination && destination.path === '-' ? openStdout?.() : undefined,
    openRegistries: async () => registries,
    mountFrom: isNear ? [from.reference.repository] : [],
  }
}

function describeDelivery(
  destination: LayoutReference | RegistryReference,
  names: readonly ImageName[],
  digest: Digest,
): Delivery {
  if (destination.transport === 'docker') {
    const name = `${destination.host}/${destination.repository}`
    return {
      reference: `${name}@${digest}`,
      references: names.map(({ reference: tag }) => `${name}:${tag}`),
    }
  }
  const references = names.map(({ reference: ref }) => formatReference({ ...destination, ref }))
  return destination.transport === 'oci'
    ? { reference: formatReference({ ...destination, ref: undefined, digest }), references }
    : { reference: references[0] ?? formatReference(destination), references }
}

function namesIn(
  destination: LayoutReference | RegistryReference,
  source: NamedSource,
  tags: readonly string[],
): readonly ImageName[] {
  if (destination.transport === 'docker') {
    return [...new Set([destination.tag ?? 'latest', ...tags])].map((reference) => ({
      reference,
      annotations: {},
    }))
  }
  const own = destination.ref === undefined ? [] : outputNames(destination, source.name, [])
  const more = own.length === 0 && tags.length === 0 ? [source.tag] : tags
  return [...own, ...outputNames({ ...destination, ref: undefined }, source.name, more)]
}

/** What an image is called by its reference: its repository and tag, else the ref name, else nothing much. */
export function nameOf(reference: Reference): Pick<NamedSource, 'name' | 'tag'> {
  if (reference.transport === 'docker') {
    const { host, repository, tag = 'latest' } = reference
    return { name: `${host}/${repository}`, tag }
  }
  const ref = 'ref' in reference ? reference.ref : undefined
  return { name: 'image', tag: ref !== undefined && isTag(ref) ? ref : 'latest' }
}

/** The descriptor without what its old place said of it: names and annotations in an index. */
function bareDescriptor({ mediaType, digest, size, platform, artifactType }: Descriptor): Descriptor {
  return {
    mediaType,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(platform !== undefined && { platform }),
  }
}
