/** `download`: a URL whose checksum is known, fetched once and kept by it, then placed or unpacked. */

import { posix } from 'node:path'
import type { EntryOf } from '../config/resolved-spec.ts'
import { createDigester } from '../content/hash.ts'
import type { ByteStream } from '../content/store.ts'
import { OciBuildError } from '../errors.ts'
import { httpDownload, parseDownloadUrl } from '../registry/http-download.ts'
import { redactUrl } from '../registry/redact-url.ts'
import type { Digest } from '../spec/digest.ts'
import { fileMode, type EntryMetadata } from './entry-metadata.ts'
import { hostFileSource } from './host-file.ts'
import { below, imagePath } from './image-path.ts'
import { unpackTo } from './place-archive.ts'
import type { Placement } from './placement.ts'
import type { LayerContext } from './plan-context.ts'

/** How often progress is told. */
const progressBytes = 256 * 1024

/**
 * Throws `OCB-DOWNLOAD-CHECKSUM`, `OCB-NETWORK-OFFLINE`, what `httpDownload` throws, and with `extract` what
 * `readArchiveFile` throws.
 */
export async function placeDownload(
  entry: EntryOf<'download'>,
  context: LayerContext,
): Promise<readonly Placement[]> {
  const { at, download, owner, extract, strip } = entry
  const url = parseDownloadUrl(download)
  const to = imagePath(entry.to, `${at}.to`)
  const digest: Digest = `sha256:${entry.sha256.toLowerCase()}`
  const path = extract ? to : below(to, entry.to.endsWith('/') ? nameIn(url, at) : '')
  const file = (await keptFile(digest, context)) ?? (await fetchFile(entry, digest, context))
  if (extract) {
    const metadata: EntryMetadata = { mode: entry.mode, dirMode: undefined, owner, mtime: 'content' }
    const options = { spoolDir: context.spoolDir, strip, signal: context.reporter.signal }
    const names = { at, what: `${at}.download ${redactUrl(url)}` }
    return await unpackTo(file, path, names, metadata, options)
  }
  const source = hostFileSource(file)
  return [
    {
      type: 'file',
      path,
      origin: at,
      mode: entry.mode ?? fileMode,
      owner,
      mtime: 'content',
      source: source.kind === 'host' ? { ...source, digest } : source,
    },
  ]
}

async function keptFile(digest: Digest, { blobs }: LayerContext): Promise<string | undefined> {
  const kept = await blobs.find(digest)
  return kept && (await blobs.fileOf(kept))?.path
}

async function fetchFile(entry: EntryOf<'download'>, digest: Digest, context: LayerContext): Promise<string> {
  const { blobs, reporter, environment } = context
  const { signal } = reporter
  const shown = redactUrl(entry.download)
  if (context.offline) {
    throw new OciBuildError('OCB-NETWORK-OFFLINE', {
      message: `${entry.at}.download ${shown} is not in the cache, and offline forbids to fetch it`,
      hint: 'build once without --offline',
    })
  }
  return await reporter.step(
    { stage: 'plan', title: `download ${shown}`, unit: 'bytes' },
    async ({ progress, finish }) => {
      let told = 0
      const onProgress = (done: number, total: number | undefined): void => {
        if (done - told < progressBytes && done !== total) return
        told = done
        progress(done, total)
      }
      const stored = await httpDownload(
        entry.download,
        (body) => blobs.ingest('application/octet-stream', checked(body, digest, entry), { signal }),
        { environment, signal, onProgress },
      )
      finish({ detail: stored.digest, bytes: stored.size })
      const file = await blobs.fileOf(stored)
      if (file === undefined) throw new Error(`unreachable: ${stored.digest} was stored and is not there`)
      return file.path
    },
  )
}

/** Passes bytes on; wrong ones throw at their end, so that nothing keeps them. */
async function* checked(
  body: ByteStream,
  wanted: Digest,
  entry: EntryOf<'download'>,
): AsyncGenerator<Uint8Array> {
  const digester = createDigester()
  for await (const chunk of body) {
    digester.update(chunk)
    yield chunk
  }
  const seen = digester.digest()
  if (seen === wanted) return
  throw new OciBuildError('OCB-DOWNLOAD-CHECKSUM', {
    message: `${entry.at}.download ${redactUrl(entry.download)} has the checksum ${seen}, wanted ${wanted}`,
    hint: `check that the URL still serves what you trust; if it does, set sha256 to '${seen.slice(7)}'`,
  })
}

/** The last name of a URL's path. */
function nameIn(url: URL, at: string): string {
  let name: string
  try {
    name = decodeURIComponent(posix.basename(url.pathname))
  } catch {
    name = posix.basename(url.pathname)
  }
  if (name === '' || name.includes('/') || name.includes('\0') || name === '.' || name === '..') {
    throw new OciBuildError('OCB-SPEC-IMAGE-PATH', {
      message: `${at}.to ends in /, and the URL ${redactUrl(url)} has no file name to put there`,
      hint: 'write the whole path of the file in to',
    })
  }
  return imagePath(`/${name}`, `${at}.download`).slice(1)
}
