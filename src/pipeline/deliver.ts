/** Staged images become outputs: all blobs of all images first, and only then whatever makes them visible. */

import { setImmediate } from 'node:timers/promises'
import type { OutputResult } from '../build-types.ts'
import type { Fetcher } from '../content/store.ts'
import { unionStore } from '../content/union-store.ts'
import { OciBuildError } from '../errors.ts'
import type { Output } from '../content/image-place.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { formatReference } from '../spec/parse-reference.ts'
import { choosePlatform, formatPlatform } from '../spec/platform.ts'
import type { LayoutReference } from '../spec/reference.ts'
import type { StagedImage } from './build-image.ts'
import { stageCacheManifest } from './cache-manifest.ts'
import { explainMismatch } from './damaged-cache.ts'
import { namesIn, pushedReferences, type Place } from './output-places.ts'
import type { Outputs } from './outputs.ts'
import type { Session } from './session.ts'

/** Gives, for each image in order, what was written where. */
export async function deliver(
  images: readonly StagedImage[],
  outputs: Outputs,
  session: Session,
): Promise<readonly (readonly OutputResult[])[]> {
  try {
    await beginCopies(images, outputs)
    const meanwhile = inNextTurn(session.doMeanwhile)
    // Met below; until then it only must not count as unhandled.
    meanwhile.catch(() => {})
    const results = await copyImages(images, outputs, session)
    await meanwhile
    await deliverCaches(images, outputs, session)
    await outputs.finish()
    return results
  } catch (error) {
    throw await explainMismatch(error, images, session)
  }
}

/** What was just made goes from file to file, which needs nothing of this thread. */
async function beginCopies(images: readonly StagedImage[], outputs: Outputs): Promise<void> {
  for (const { plan, platforms } of images) {
    for (const { descriptor, cached } of platforms.flatMap(({ layers }) => layers)) {
      if (!cached) await outputs.sendAhead(plan.spec, descriptor, 'oci')
    }
  }
}

/** After the turn in which copies are begun, and requests sent: what comes now keeps this thread for a while. */
async function inNextTurn(work: () => void): Promise<void> {
  await setImmediate()
  work()
}

async function copyImages(
  images: readonly StagedImage[],
  outputs: Outputs,
  session: Session,
): Promise<readonly (readonly OutputResult[])[]> {
  const results: OutputResult[][] = []
  for (const image of images) {
    const { spec } = image.plan
    const written: OutputResult[] = []
    for (const place of outputs.placesOf(spec)) {
      const output = await outputs.open(place, spec)
      const copy = (): Promise<readonly OutputResult[]> => copyInto(output, place, image, session)
      written.push(...(await session.timeSpent.on(spec, copy)))
    }
    results.push(written)
  }
  return results
}

function copyInto(
  output: Output,
  place: Place,
  image: StagedImage,
  session: Session,
): Promise<readonly OutputResult[]> {
  const root = place.transport === 'docker-archive' ? onePlatform(image, place, session) : image.root
  const title = formatReference(place)
  return session.reporter.step({ stage: 'output', title, unit: 'bytes' }, async (step) => {
    let bytes = 0
    if (place.transport !== 'docker') await checkTaken(image)
    await output.add(sourceOf(image, session), root, namesIn(place, image.plan.spec), {
      signal: session.options.signal,
      onBlob: (descriptor, outcome) => {
        if (outcome === 'copied') bytes += descriptor.size
        step.progress(bytes)
      },
    })
    step.finish({ detail: root.digest, bytes })
    const refs = place.transport === 'docker' ? pushedReferences(place, image.plan.spec) : [title]
    return refs.map((ref) => ({ ref, digest: root.digest }))
  })
}

/** The layers of all images, for other machines to take over. */
async function deliverCaches(
  images: readonly StagedImage[],
  outputs: Outputs,
  session: Session,
): Promise<void> {
  const [first] = images
  const root = outputs.caches.length === 0 ? undefined : await stageCacheManifest(images, session)
  if (first === undefined || root === undefined) return
  const source = unionStore(...images.map(({ taken }) => taken), session.staging)
  for (const { place, name } of outputs.caches) {
    const title = `cache ${formatReference(place)}`
    await session.reporter.step({ stage: 'output', title, unit: 'bytes' }, async (step) => {
      if (place.transport !== 'docker') for (const image of images) await checkTaken(image)
      const output = await outputs.open(place, first.plan.spec)
      await output.add(source, root, [{ reference: name, annotations: {} }], {
        signal: session.options.signal,
      })
      step.finish({ detail: root.digest })
    })
  }
}

/** What is used on this machine is whole and right, also where the output has the bytes already. */
async function checkTaken({ platforms, taken }: StagedImage): Promise<void> {
  for (const { layers } of platforms) for (const { descriptor } of layers) await taken.fileOf(descriptor)
}

/** What was made here, and the layers of caches and bases where they lie. */
function sourceOf(image: StagedImage, session: Session): Fetcher {
  const bases = image.platforms.flatMap(({ plan }) => plan.base.store ?? [])
  // First what was taken over: bytes that are here by chance were not held against its diffID.
  return unionStore(image.taken, session.staging, ...bases)
}

/** A docker-archive holds one platform: the only one, else the host's. */
function onePlatform(image: StagedImage, place: LayoutReference, session: Session): Descriptor {
  const manifests = image.platforms.flatMap(({ image: { descriptor }, twin }) => (twin ? [] : descriptor))
  const [first] = manifests
  if (manifests.length === 1 && first) return first
  const host = { os: 'linux', architecture: session.environment.hostArchitecture }
  const chosen = choosePlatform(manifests, host)
  if (chosen) return chosen
  const built = image.platforms.map(({ plan }) => formatPlatform(plan.platform))
  throw new OciBuildError('OCB-ARCHIVE-PLATFORMS', {
    message: `${formatReference(place)} holds one platform; built were ${built.join(', ')}, none of them this host's ${formatPlatform(host)}`,
    hint: `choose one with --platform, e.g. --platform ${built[0] ?? ''}`,
  })
}
