/** What `index create`, `add`, `remove` and `annotate` do. */

import { OciBuildError } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { parseDigest } from '../spec/digest.ts'
import { formatReference, parseReference } from '../spec/parse-reference.ts'
import { formatPlatform, parsePlatform } from '../spec/platform.ts'
import type { Reference } from '../spec/reference.ts'
import {
  addToIndex,
  annotateIndex,
  createIndex,
  removeFromIndex,
  type IndexSource,
} from '../transfer/change-index.ts'
import { readAsIndex } from '../transfer/index-entries.ts'
import { openImage, openTagged, type PlaceContext, type TaggedPlace } from '../transfer/places.ts'
import { parsePairs } from './build-options.ts'
import type { CliContext } from './context.ts'
import type { IndexFlags } from './index-command.ts'
import { withRegistries } from './registry-session.ts'

export async function runIndexCreate(
  destination: string,
  refs: readonly string[],
  flags: IndexFlags,
  context: CliContext,
): Promise<void> {
  const annotations = parsePairs('--annotation', flags.annotation)
  const sources = refs.map((ref) => parseReference(ref, 'in'))
  await change(destination, sources, flags, context, async ({ target, tag }, places) => {
    const { signal, environment } = places
    const { now } = environment
    return await createIndex(target, tag, await openAll(sources, places), { annotations, signal, now })
  })
}

export async function runIndexAdd(
  destination: string,
  refs: readonly string[],
  flags: IndexFlags,
  context: CliContext,
): Promise<void> {
  const annotations = parsePairs('--annotation', flags.annotation)
  const sources = refs.map((ref) => parseReference(ref, 'in'))
  await change(destination, sources, flags, context, async ({ target, tag }, places) => {
    const { signal, environment } = places
    const { now } = environment
    return await addToIndex(target, tag, await openAll(sources, places), { annotations, signal, now })
  })
}

export async function runIndexRemove(
  destination: string,
  words: readonly string[],
  flags: IndexFlags,
  context: CliContext,
): Promise<void> {
  const digests = words.map((word) => parseDigest(word))
  const platforms = (flags.platform ?? []).map((platform) => parsePlatform(platform))
  if (digests.length + platforms.length === 0) {
    throw new OciBuildError('OCB-USAGE-INDEX', {
      message: 'it is not said what to take out of the index',
      hint: 'name digests, or platforms with --platform',
    })
  }
  await change(destination, [], flags, context, async ({ target, tag }, { signal, environment: { now } }) => {
    return await removeFromIndex(target, tag, { digests, platforms }, { signal, now })
  })
}

export async function runIndexAnnotate(
  destination: string,
  flags: IndexFlags,
  context: CliContext,
): Promise<void> {
  const set = parsePairs('--annotation', flags.annotation) ?? {}
  const remove = flags.removeAnnotation ?? []
  const [platform, ...more] = (flags.platform ?? []).map((word) => parsePlatform(word))
  if (Object.keys(set).length + remove.length === 0 || more.length > 0) {
    throw new OciBuildError('OCB-USAGE-INDEX', {
      message: more.length > 0 ? 'several platforms are named' : 'no annotation is named',
      hint: 'write --annotation key=value or --remove-annotation key, and at most one --platform',
    })
  }
  await change(destination, [], flags, context, async ({ target, tag }, { signal, environment: { now } }) => {
    return await annotateIndex(target, tag, { set, remove, platform }, { signal, now })
  })
}

async function change(
  text: string,
  sources: readonly Reference[],
  flags: IndexFlags,
  context: CliContext,
  work: (place: TaggedPlace, places: PlaceContext) => Promise<Descriptor>,
): Promise<void> {
  const destination = parseReference(text, 'out')
  const hosts = destination.transport === 'docker' ? [destination.host] : undefined
  // Repositories of the same registry give their blobs by mount.
  const mountFrom = sources.flatMap((source) => {
    const isNear =
      source.transport === 'docker' && destination.transport === 'docker' && source.host === destination.host
    return isNear ? [source.repository] : []
  })
  await withRegistries(
    context,
    [...sources, destination],
    async ({ places }) => {
      const place = await openTagged(destination, places, { mountFrom })
      const root = await work(place, places)
      const { manifests } = await readAsIndex(place.target, root, places)
      const separator = destination.transport === 'oci' ? ':@' : '@'
      const view = {
        schemaVersion: 1,
        reference: `${place.name}${separator}${root.digest}`,
        references: [`${place.name}:${place.tag}`],
        digest: root.digest,
        mediaType: root.mediaType,
        size: root.size,
        manifests: manifests.map(({ platform, digest, mediaType }) => ({
          platform: platform === undefined ? null : formatPlatform(platform),
          digest,
          mediaType,
        })),
      }
      context.stdout(flags.json === true ? `${JSON.stringify(view, null, 2)}\n` : `${view.reference}\n`)
    },
    { hosts },
  )
}

async function openAll(sources: readonly Reference[], places: PlaceContext): Promise<readonly IndexSource[]> {
  const opened: IndexSource[] = []
  for (const source of sources) {
    const { store, root } = await openImage(source, places)
    opened.push({ name: formatReference(source), store, root })
  }
  return opened
}
