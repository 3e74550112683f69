/** What `digest`, `manifest` and `config` print. */

import { readDocument } from '../content/read-document.ts'
import type { Fetcher } from '../content/store.ts'
import { OciBuildError } from '../errors.ts'
import { findManifests, selectManifest } from '../inspect/find-manifests.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { isManifestType } from '../spec/media-type.ts'
import { parseImageManifest } from '../spec/parse-image-manifest.ts'
import { formatReference } from '../spec/parse-reference.ts'
import { parsePlatform } from '../spec/platform.ts'
import { openImage } from '../transfer/places.ts'
import { selectPlatform } from '../transfer/select-platform.ts'
import type { CliContext } from './context.ts'
import type { DocumentFlags } from './documents.ts'
import { hostImagePlatform, readImageArgument } from './image-argument.ts'
import { withRegistries } from './registry-session.ts'

export async function printDigest(
  ref: string | undefined,
  flags: DocumentFlags,
  context: CliContext,
): Promise<void> {
  await withDocument(ref, flags, context, async ({ root, text }) => {
    const { mediaType, digest, size } = root
    const view = { schemaVersion: 1, reference: text, mediaType, digest, size }
    context.stdout(flags.json === true ? `${JSON.stringify(view, null, 2)}\n` : `${digest}\n`)
  })
}

export async function printManifest(
  ref: string | undefined,
  flags: DocumentFlags,
  context: CliContext,
): Promise<void> {
  await withDocument(ref, flags, context, async ({ root, store }) => {
    print(await readDocument(store, root, { signal: context.signal }), context)
  })
}

export async function printConfig(
  ref: string | undefined,
  flags: DocumentFlags,
  context: CliContext,
): Promise<void> {
  const { signal } = context
  await withDocument(ref, flags, context, async ({ root, store, text }) => {
    const descriptor = isManifestType(root.mediaType) ? root : await selectForHost(store, root, context)
    const manifest = parseImageManifest(
      await readDocument(store, descriptor, { signal }),
      `manifest ${descriptor.digest}`,
    )
    if (manifest.config.size === 0) {
      throw new OciBuildError('OCB-USAGE-REFERENCE', {
        message: `${text} has no config`,
        hint: 'name an image and not an artifact',
      })
    }
    print(await readDocument(store, manifest.config, { signal }), context)
  })
}

/** The manifest for this host, else the only one there is. */
async function selectForHost(
  store: Fetcher,
  root: Descriptor,
  { signal, environment }: CliContext,
): Promise<Descriptor> {
  try {
    return await selectPlatform(store, root, hostImagePlatform(environment), { signal })
  } catch (error) {
    if (!(error instanceof OciBuildError) || error.code !== 'OCB-USAGE-PLATFORM') throw error
    return selectManifest(await findManifests(store, root, { signal }), undefined).descriptor
  }
}

interface OpenDocument {
  readonly store: Fetcher
  readonly root: Descriptor
  readonly text: string
}

async function withDocument(
  ref: string | undefined,
  flags: DocumentFlags,
  context: CliContext,
  use: (document: OpenDocument) => Promise<void>,
): Promise<void> {
  const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform)
  const reference = readImageArgument(ref, context.environment)
  await withRegistries(context, [reference], async ({ places }) => {
    const { store, root } = await openImage(reference, places)
    const chosen =
      platform === undefined ? root : await selectPlatform(store, root, platform, { signal: context.signal })
    await use({ store, root: chosen, text: formatReference(reference) })
  })
}

/** Nothing is added, so that the digest can be taken. */
function print(bytes: Uint8Array, context: CliContext): void {
  context.stdout(Buffer.from(bytes).toString('utf8'))
}
