/** What may be done in a repository and what its registry can do, found out by doing it. */

import { sha256 } from '../content/hash.ts'
import { manifestPath, mountPath, referrersPath, tagsPath } from '../registry/api-paths.ts'
import { uploadBlob } from '../registry/blob-upload.ts'
import type { HostSession } from '../registry/host-session.ts'
import { putManifest } from '../registry/manifests.ts'
import { readBody } from '../registry/read-body.ts'
import { createRepository, type Repository } from '../registry/repository.ts'
import { repositoryScope } from '../registry/scope.ts'
import { abandonUpload, beginUpload, nextLocation, readUpload } from '../registry/upload-session.ts'
import { streamSource } from '../registry/upload-source.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { encodeJson } from '../spec/json.ts'
import { mediaTypes, type MediaType } from '../spec/media-type.ts'
import { attempt, probe, type Check } from './check.ts'

/** An empty tar as one zstd frame: a block that says 1024 times zero (RFC 8878, 3.1.1.2). */
const zstdTar = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x00, 0x03, 0x03, 0x20, 0x00, 0x00])
const tarDiffId = sha256(new Uint8Array(1024))
const emptyJson = new TextEncoder().encode('{}')
const maxListBytes = 4 * 1024 * 1024

/** Pull and the referrers API. */
export async function probeReading(session: HostSession, name: string): Promise<readonly Check[]> {
  const { pull: scopes } = createRepository(session, name, 'pull')
  const { signal } = session
  const pull = await attempt('pull', async () => {
    const target = tagsPath(name, 1)
    const response = await session.ask({ method: 'GET', target, scopes, wanted: [200, 404], signal })
    return response.status === 404
      ? 'allowed; there is no such repository yet'
      : 'allowed: its tags can be listed'
  })
  const referrers = await probe('referrers', async () => {
    const target = referrersPath(name, sha256(emptyJson))
    const response = await session.send({ method: 'GET', target, scopes, wanted: [200, 404], signal })
    const body = await readBody(response.body, maxListBytes)
    const isIndex = response.status === 200 && body !== undefined && Buffer.from(body).includes('"manifests"')
    return isIndex ? ['ok', 'the API is there'] : ['no', 'no API: the list is kept under a tag, sha256-…']
  })
  return [pull, referrers]
}

/** Push, chunked uploads, mounts. The uploads are given up; but for one blob of two bytes nothing stays. */
export async function probeUploads(session: HostSession, name: string): Promise<readonly Check[]> {
  const repository = createRepository(session, name, 'push')
  const push = await attempt('push', async () => {
    const upload = await beginUpload(repository, session.signal)
    await abandonUpload(repository, upload)
    return upload.minChunkBytes === 0
      ? 'allowed'
      : `allowed; chunks have at least ${upload.minChunkBytes} bytes`
  })
  if (push.status !== 'ok') {
    const skipped = { status: 'skipped', detail: 'needs the right to push' } as const
    return [push, { name: 'chunked-upload', ...skipped }, { name: 'mount', ...skipped }]
  }
  const chunked = await probe('chunked-upload', () => sendOneChunk(repository))
  const mount = await probe('mount', () => mountFromItself(repository))
  return [push, chunked, mount]
}

async function sendOneChunk(repository: Repository): Promise<readonly ['ok', string]> {
  const { session, push: scopes } = repository
  let upload = await beginUpload(repository, session.signal)
  try {
    const response = await session.ask({
      method: 'PATCH',
      target: upload.url,
      scopes,
      headers: { 'content-type': 'application/octet-stream', 'content-range': `0-${emptyJson.length - 1}` },
      body: { size: emptyJson.length, open: () => once(emptyJson) },
      wanted: [202, 204],
      attempts: 1,
      signal: session.signal,
    })
    upload = { ...upload, url: nextLocation(repository, 'PATCH', response) }
    return ['ok', 'PATCH is taken']
  } finally {
    await abandonUpload(repository, upload)
  }
}

/** A blob is mounted from the repository that has it already: that is answered as any mount. */
async function mountFromItself(repository: Repository): Promise<readonly ['ok' | 'no', string]> {
  const { session, name, push: scopes } = repository
  const { digest } = await pushBlob(repository, mediaTypes.empty, emptyJson)
  const response = await session.ask({
    method: 'POST',
    target: mountPath(name, digest, name),
    scopes,
    wanted: [201, 202],
    signal: session.signal,
  })
  if (response.status === 201) return ['ok', 'blobs of other repositories are mounted']
  await abandonUpload(repository, readUpload(repository, 'POST', response))
  return ['no', 'refused: bytes are sent again']
}

/** Pushes a manifest with a zstd layer and an index over it, by digest, and deletes both. */
export async function probeWriting(session: HostSession, name: string): Promise<readonly Check[]> {
  const repository = createRepository(session, name, 'push')
  const rootfs = { type: 'layers', diff_ids: [tarDiffId] }
  const written: Descriptor[] = []
  const put = async (mediaType: MediaType, document: object): Promise<Descriptor> => {
    const bytes = encodeJson({ schemaVersion: 2, mediaType, ...document })
    const descriptor = describe(mediaType, bytes)
    await putManifest(repository, { descriptor, bytes }, descriptor.digest, session.signal)
    written.unshift(descriptor)
    return descriptor
  }
  const zstd = await probe('zstd', async () => {
    const config = encodeJson({ architecture: 'amd64', os: 'linux', rootfs })
    await put(mediaTypes.manifest, {
      config: await pushBlob(repository, mediaTypes.config, config),
      layers: [await pushBlob(repository, mediaTypes.layerZstd, zstdTar)],
    })
    return ['ok', 'a manifest with a zstd layer is taken']
  })
  if (zstd.status !== 'ok') {
    return [zstd, { name: 'index', status: 'skipped', detail: 'needs the manifest of the check before' }]
  }
  const index = await probe('index', async () => {
    const platform = { os: 'linux', architecture: 'amd64' }
    await put(mediaTypes.index, { manifests: written.map((entry) => ({ ...entry, platform })) })
    return ['ok', 'an image index is taken']
  })
  const gone = await probe('delete', async () => {
    for (const { digest } of written) {
      await session.ask({
        method: 'DELETE',
        target: manifestPath(name, digest),
        scopes: [repositoryScope(name, 'delete')],
        wanted: [200, 202, 404],
        signal: session.signal,
      })
    }
    return ['ok', 'what was pushed is deleted again']
  })
  const stays = `${written.map(({ digest }) => digest).join(', ')} stays, without a tag: ${gone.detail}`
  return [zstd, index, gone.status === 'ok' ? gone : { ...gone, detail: stays }]
}

async function pushBlob(
  repository: Repository,
  mediaType: MediaType,
  bytes: Uint8Array,
): Promise<Descriptor> {
  const descriptor = describe(mediaType, bytes)
  const { limits, signal } = repository.session
  const source = await streamSource(descriptor, once(bytes), { memoryBytes: limits.memoryBytes, tempDir: '' })
  await uploadBlob(repository, source, undefined, signal)
  return descriptor
}

function describe(mediaType: MediaType, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: sha256(bytes), size: bytes.length }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
