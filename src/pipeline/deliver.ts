/** Staged images become outputs: all blobs of all images first, and only then whatever makes them visible. */

import { existsSync, mkdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Writable } from 'node:stream'
import type { OutputResult } from '../build-types.ts'
import { writeFileAtomic } from '../content/atomic-file.ts'
import type { Fetcher } from '../content/store.ts'
import { unionStore } from '../content/union-store.ts'
import { OciBuildError } from '../errors.ts'
import { openOutput, outputPlace, type Output } from '../open-target.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { formatReference } from '../spec/parse-reference.ts'
import { choosePlatform, formatPlatform } from '../spec/platform.ts'
import type { LayoutReference } from '../spec/reference.ts'
import type { StagedImage } from './build-image.ts'
import { explainMismatch } from './damaged-cache.ts'
import { namesIn, placesOf, pushedReferences, type Place } from './output-places.ts'
import type { Session } from './session.ts'

/** Gives, for each image in order, what was written where. */
export async function deliver(
  images: readonly StagedImage[],
  session: Session,
): Promise<readonly (readonly OutputResult[])[]> {
  const { signal } = session.options
  const { cwd } = session.environment
  /** Two images may go into one layout: it is opened once, and its index.json is written once. */
  const opened = new Map<string, Output>()
  const results: OutputResult[][] = []
  try {
    for (const image of images) {
      const written: OutputResult[] = []
      for (const place of placesOf(image, session)) {
        const key = outputPlace(place, cwd)
        if ('path' in place && place.path !== '-') keepOutOfGit(key)
        const output = opened.get(key) ?? (await openOutput(place, outputContext(image, session)))
        opened.set(key, output)
        const copy = (): Promise<readonly OutputResult[]> => copyInto(output, place, image, session)
        written.push(...(await session.timeSpent.on(image.plan.spec, copy)))
      }
      results.push(written)
    }
    for (const output of opened.values()) await output.finish({ signal })
    return results
  } catch (error) {
    throw await explainMismatch(error, images, session)
  } finally {
    for (const output of opened.values()) await output.abort()
  }
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
    await output.add(sourceOf(image, session), root, namesIn(place, image), {
      signal: session.options.signal,
      onBlob: (descriptor, outcome) => {
        if (outcome === 'copied') bytes += descriptor.size
        step.progress(bytes)
      },
    })
    step.finish({ detail: root.digest, bytes })
    const refs = place.transport === 'docker' ? pushedReferences(place, image) : [title]
    return refs.map((ref) => ({ ref, digest: root.digest }))
  })
}

/** What was made here, and the bases' layers where they lie. */
function sourceOf(image: StagedImage, session: Session): Fetcher {
  const bases = image.platforms.flatMap(({ plan }) => plan.base.store ?? [])
  return unionStore(session.staging, ...bases)
}

/** A docker-archive holds one platform: the only one, else the host's. */
function onePlatform(image: StagedImage, place: LayoutReference, session: Session): Descriptor {
  const manifests = image.platforms.map(({ image: { descriptor } }) => descriptor)
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

function outputContext(image: StagedImage, session: Session): Parameters<typeof openOutput>[1] {
  const { environment, options, registries } = session
  const { base } = image.plan.spec
  return {
    cwd: environment.cwd,
    environment,
    stdout: options.stdout instanceof Writable ? options.stdout : undefined,
    openRegistries: () => registries.context(),
    mountFrom: base.transport === 'docker' ? [base.repository] : [],
  }
}

/** `.ocibuild` is ours: what lies in it never belongs into git. */
function keepOutOfGit(path: string): void {
  const folder = dirname(path)
  if (basename(folder) !== '.ocibuild') return
  const ignore = join(folder, '.gitignore')
  if (existsSync(ignore)) return
  mkdirSync(folder, { recursive: true })
  writeFileAtomic(resolve(ignore), '*\n')
}
