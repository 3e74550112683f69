/** Finds the image that a reference names among the entries of an index, in any local store. */

import { OciBuildError } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { isDigest, type Digest } from '../spec/digest.ts'
import { isIndexType } from '../spec/media-type.ts'
import { referenceNotFound } from './not-found.ts'
import type { Fetcher } from './store.ts'
import { successors } from './successors.ts'

/** An image of a store and the names it goes by, the first being the one to show. */
export interface NamedImage {
  readonly descriptor: Descriptor
  readonly names: readonly string[]
}

/**
 * The image with this name or digest; a digest is also found below the indexes among the images. Throws
 * `OCB-REFERENCE-NOT-FOUND`, and `OCB-REFERENCE-AMBIGUOUS` when different images have the name.
 */
export async function findImage(
  store: Fetcher,
  where: string,
  images: readonly NamedImage[],
  reference: string,
): Promise<Descriptor> {
  if (isDigest(reference)) {
    const found = await findDigest(store, images, reference)
    if (found !== undefined) return found
    throw referenceNotFound(reference, where, describeImages(images))
  }
  const named = images.filter(({ names }) => names.includes(reference))
  const [first] = named
  if (first === undefined) throw referenceNotFound(reference, where, describeImages(images))
  if (named.every(({ descriptor }) => descriptor.digest === first.descriptor.digest)) return first.descriptor
  throw ambiguous(`${where} has ${named.length} images named "${reference}"`, named)
}

/** The only image there is. Throws `OCB-REFERENCE-AMBIGUOUS` with a list when there are several, `OCB-REFERENCE-NOT-FOUND` when there is none. */
export function onlyImage(where: string, images: readonly NamedImage[]): Descriptor {
  const [first] = images
  if (first === undefined) {
    throw new OciBuildError('OCB-REFERENCE-NOT-FOUND', {
      message: `${where} holds no image`,
      hint: 'build or copy an image into it first',
    })
  }
  if (images.every(({ descriptor }) => descriptor.digest === first.descriptor.digest)) return first.descriptor
  throw ambiguous(`${where} holds ${images.length} images and the reference names none of them`, images)
}

function ambiguous(what: string, images: readonly NamedImage[]): OciBuildError {
  const lines = images
    .slice(0, 20)
    .map(({ descriptor, names }) => `${names.join(', ') || '(no name)'} ${descriptor.digest}`)
  return new OciBuildError('OCB-REFERENCE-AMBIGUOUS', {
    message: `${what}: ${lines.join('; ')}`,
    hint: 'put one of them after the path, as :NAME or :@DIGEST',
  })
}

function describeImages(images: readonly NamedImage[]): readonly string[] {
  return [...new Set(images.flatMap(({ names }) => names.slice(0, 1)))].slice(0, 20)
}

async function findDigest(
  store: Fetcher,
  images: readonly NamedImage[],
  digest: Digest,
): Promise<Descriptor | undefined> {
  const seen = new Set<Digest>()
  const queue = images.map(({ descriptor }) => descriptor)
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
    if (item.digest === digest) return item
    if (seen.has(item.digest) || !isIndexType(item.mediaType)) continue
    seen.add(item.digest)
    try {
      queue.push(...(await successors(store, item)))
    } catch (error) {
      // An index that is not there or is damaged does not hide the digest in the next one.
      if (!(error instanceof OciBuildError)) throw error
    }
  }
  return undefined
}
