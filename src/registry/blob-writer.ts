/** Blobs on their way into a repository: asked for, mounted, or sent. */

import { childrenOf } from '../content/successors.ts'
import type { BlobFile, ByteStream } from '../content/store.ts'
import { OciBuildError } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import { isNondistributable } from '../spec/media-type.ts'
import { blobPath } from './api-paths.ts'
import { uploadBlob } from './blob-upload.ts'
import type { RawManifest } from './manifests.ts'
import { isManifestContent } from './manifests.ts'
import { tryMount } from './mount.ts'
import { limitsOf, type RegistryContext } from './registry-context.ts'
import type { Repository } from './repository.ts'
import { abandonUpload, type Upload } from './upload-session.ts'
import { fileSource, streamSource, type UploadSource } from './upload-source.ts'

export interface BlobWriter {
  has(target: Descriptor, signal: AbortSignal | undefined): Promise<boolean>
  push(expected: Descriptor, content: ByteStream, signal: AbortSignal | undefined): Promise<void>
  pushFile(expected: Descriptor, file: BlobFile, signal: AbortSignal | undefined): Promise<void>
  mount(target: Descriptor, from: string, signal: AbortSignal | undefined): Promise<boolean>
  mountSources(target: Descriptor): readonly string[]
  /** Takes the blobs of a stored manifest as present. */
  presume(manifest: RawManifest): void
  /** Forgets all that was taken as present. */
  forget(): void
}

/** Mounts that are tried for one blob. */
const maxMounts = 3

export function createBlobWriter(
  context: RegistryContext,
  repository: Repository,
  mountFrom: readonly string[],
): BlobWriter {
  const { session, name } = repository
  const limits = limitsOf(context)
  const present = new Set<Digest>()
  /** Asked for and not found; an upload needs no second look. */
  const absent = new Set<Digest>()
  /** Uploads that were opened in place of a mount. */
  const opened = new Map<Digest, Upload>()
  /** Repositories that the account may not read. */
  const denied = new Set<string>()

  const stored = (digest: Digest): void => {
    present.add(digest)
    absent.delete(digest)
    context.seenBlob?.(session.host, name, digest)
  }
  const send = async (source: UploadSource, signal: AbortSignal | undefined): Promise<void> => {
    const { digest } = source.descriptor
    const begun = opened.get(digest)
    opened.delete(digest)
    try {
      await uploadBlob(repository, source, begun, signal)
      stored(digest)
    } finally {
      await source.dispose()
    }
  }
  const needed = async (target: Descriptor, signal: AbortSignal | undefined): Promise<boolean> => {
    if (isNondistributable(target.mediaType)) throw refuseNondistributable(target, repository.title)
    return absent.has(target.digest) || !(await writer.has(target, signal))
  }
  const writer: BlobWriter = {
    async has(target, signal) {
      const { digest } = target
      if (present.has(digest)) return true
      const response = await session.ask({
        method: 'HEAD',
        target: blobPath(name, digest),
        scopes: repository.pull,
        wanted: [200, 404],
        signal,
      })
      const length = response.header('content-length')
      const found = response.status === 200 && (length === undefined || Number(length) === target.size)
      if (found) stored(digest)
      else absent.add(digest)
      return found
    },

    async push(expected, content, signal) {
      if (!(await needed(expected, signal))) return
      const { memoryBytes } = limits
      const { tempDir } = context.environment
      await send(await streamSource(expected, content, { memoryBytes, tempDir }), signal)
    },

    async pushFile(expected, file, signal) {
      if (await needed(expected, signal)) await send(fileSource(expected, file), signal)
    },

    async mount(target, from, signal) {
      if (isNondistributable(target.mediaType) || isManifestContent(target.mediaType)) return false
      if (denied.has(from)) return false
      const outcome = await tryMount(repository, target.digest, from, signal)
      if (outcome === 'mounted') {
        stored(target.digest)
        return true
      }
      if (outcome === 'denied') denied.add(from)
      else if (outcome !== 'no') {
        const before = opened.get(target.digest)
        if (before !== undefined) await abandonUpload(repository, before)
        opened.set(target.digest, outcome)
      }
      return false
    },

    mountSources({ digest }) {
      const seen = context.cachedRepositories?.(session.host, digest) ?? []
      return [...new Set([...mountFrom, ...seen])]
        .filter((one) => one !== name && !denied.has(one))
        .slice(0, maxMounts)
    },

    presume(manifest) {
      const children = childrenOf(manifest.descriptor, manifest.bytes)
      for (const child of children) if (!isManifestContent(child.mediaType)) present.add(child.digest)
    },

    forget() {
      present.clear()
      absent.clear()
    },
  }
  return writer
}

function refuseNondistributable(target: Descriptor, where: string): OciBuildError {
  return new OciBuildError('OCB-REGISTRY-UPLOAD', {
    message: `${target.digest} (${target.mediaType}) is not sent to ${where}: such layers stay where their urls say`,
    hint: 'leave it out of what is copied; the manifest names it all the same',
  })
}
