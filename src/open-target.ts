/** A reference becomes a store: a source to read an image from, or an output to copy images to. */

import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { createArchiveTarget, type ArchiveTarget } from './archive/archive-target.ts'
import { openArchive } from './archive/open-archive.ts'
import { copyBlob, copyGraph } from './content/copy-graph.ts'
import { onlyImage, type NamedImage } from './content/find-image.ts'
import { nameImage } from './content/image-names.ts'
import type { FileBacked, Fetcher } from './content/store.ts'
import type { ImageSource, Output } from './content/image-place.ts'
import type { Environment } from './environment.ts'
import { OciBuildError } from './errors.ts'
import { openLayout, type LayoutStore } from './layout/layout-store.ts'
import type { RegistryContext } from './registry/registry-context.ts'
import type { Descriptor } from './spec/descriptor.ts'
import type { ImageName } from './spec/output-names.ts'
import { formatReference } from './spec/parse-reference.ts'
import type { LayoutReference, Reference } from './spec/reference.ts'

export type { ImageSource, Output }

/** How registries are spoken to; loaded when the first one is. Without it they are `OCB-REGISTRY-UNSUPPORTED`. */
export type OpenRegistries = () => Promise<RegistryContext>

export interface SourceContext {
  /** What relative paths are relative to; absolute. */
  readonly cwd: string
  /** Where compressed archives are unpacked; the caller removes it. */
  readonly spoolDir: string
  readonly environment: Environment
  readonly openRegistries?: OpenRegistries | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens the image that a reference names. Throws `OCB-REFERENCE-NOT-FOUND`, `OCB-REFERENCE-AMBIGUOUS` with a list
 * when several images are there and none is named, `OCB-REGISTRY-UNSUPPORTED`, and what the stores throw.
 */
export async function openSource(reference: Reference, context: SourceContext): Promise<ImageSource> {
  if (reference.transport === 'docker' && context.openRegistries !== undefined) {
    const { openRegistrySource } = await import('./open-registry.ts')
    return await openRegistrySource(reference, await context.openRegistries())
  }
  const place = onDisk(reference)
  const path = resolve(context.cwd, place.path)
  const wanted = place.digest ?? place.ref
  if (place.transport === 'oci') {
    const store = await openLayout(path)
    const images = (await store.list()).map(nameImage)
    return { store, root: await choose(store, path, images, wanted) }
  }
  const { spoolDir, signal } = context
  const store = await openArchive(path, place.transport, { spoolDir, signal })
  return { store, root: await choose(store, path, store.images, wanted) }
}

export interface OutputContext {
  /** What relative paths are relative to; absolute. */
  readonly cwd: string
  readonly environment: Environment
  /** Where `-` goes; without it that is an error. Never ended here. */
  readonly stdout?: Writable | undefined
  readonly openRegistries?: OpenRegistries | undefined
  /** Repositories of the same registry that are likely to hold the same blobs: the base's. */
  readonly mountFrom?: readonly string[] | undefined
}

/** What tells whether two outputs are one place: the absolute path, `-`, or the repository. */
export function outputPlace(reference: Reference, cwd: string): string {
  if (reference.transport === 'docker') return `docker://${reference.host}/${reference.repository}`
  const { path } = onDisk(reference)
  return path === '-' ? path : resolve(cwd, path)
}

/** Opens an output. Throws `OCB-REGISTRY-UNSUPPORTED`, `OCB-USAGE-STDOUT`, and what the stores throw. */
export async function openOutput(reference: Reference, context: OutputContext): Promise<Output> {
  if (reference.transport === 'docker' && context.openRegistries !== undefined) {
    const { registryOutput } = await import('./open-registry.ts')
    return registryOutput(reference, await context.openRegistries(), context.mountFrom ?? [])
  }
  const place = onDisk(reference)
  const path = outputPlace(reference, context.cwd)
  const nowMs = context.environment.wallClockMs()
  if (place.transport === 'oci') return layoutOutput(await openLayout(path, { create: true, nowMs }))
  if (path === '-' && context.stdout === undefined) {
    throw new OciBuildError('OCB-USAGE-STDOUT', {
      message: `${formatReference(reference)}: there is no stdout to write to`,
      hint: 'name a file',
    })
  }
  const destination = path === '-' && context.stdout !== undefined ? context.stdout : path
  return archiveOutput(await createArchiveTarget(destination, { format: place.transport, nowMs }))
}

interface Added {
  readonly source: Fetcher & Partial<FileBacked>
  readonly root: Descriptor
  readonly names: readonly ImageName[]
}

/** Another build that tags into the same layout may remove, as its own garbage, what we found there. */
const healAttempts = 5

function layoutOutput(store: LayoutStore): Output {
  const added: Added[] = []
  const ahead = new Set<Promise<void>>()
  return {
    store,
    sendAhead(source, blob, options) {
      // A failure is met again, and told, when `add` copies what is not there.
      ahead.add(copyBlob(source, blob, store, options?.signal).catch(() => undefined))
    },
    async add(source, root, names, options) {
      await Promise.all(ahead)
      await copyGraph(source, root, store, { ...options, deep: true })
      added.push({ source, root, names })
    },
    async finish(options) {
      const images = added.flatMap(({ root, names }) => names.map((name) => ({ ...tagged(root, name) })))
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await store.tagAll(images, options)
        } catch (error) {
          const incomplete = error instanceof OciBuildError && error.code === 'OCB-LAYOUT-INCOMPLETE'
          if (!incomplete || attempt === healAttempts) throw error
          for (const { source, root } of added) {
            await copyGraph(source, root, store, { signal: options?.signal, deep: true })
          }
        }
      }
    },
    abort: async () => void (await Promise.all(ahead)),
  }
}

function archiveOutput(target: ArchiveTarget): Output {
  return {
    store: target,
    async add(source, root, names, options) {
      // One at a time, so that the blobs have the same order in every build.
      await copyGraph(source, root, target, { ...options, concurrency: 1 })
      for (const name of names) await target.tag(tagged(root, name).target, name.reference)
    },
    finish: async () => await target.close(),
    abort: async () => await target.abort(),
  }
}

function tagged(
  root: Descriptor,
  name: ImageName,
): { readonly target: Descriptor; readonly reference: string } {
  return {
    target: { ...root, annotations: { ...root.annotations, ...name.annotations } },
    reference: name.reference,
  }
}

async function choose(
  store: { resolve(reference: string): Promise<Descriptor> },
  where: string,
  images: readonly NamedImage[],
  wanted: string | undefined,
): Promise<Descriptor> {
  return wanted === undefined ? onlyImage(where, images) : await store.resolve(wanted)
}

function onDisk(reference: Reference): LayoutReference {
  if ('path' in reference) return reference
  const text = formatReference(reference)
  if (reference.transport === 'docker' || reference.transport === 'registry') {
    throw new OciBuildError('OCB-REGISTRY-UNSUPPORTED', {
      message: `${text} is in a registry; registries are not in this release yet`,
      hint: 'copy the image into a layout first, e.g. with skopeo copy, and write oci:DIR',
    })
  }
  throw new OciBuildError('OCB-SPEC-REFERENCE', {
    message: `${text} is no stored image`,
    hint: 'name an image layout or an archive',
  })
}
