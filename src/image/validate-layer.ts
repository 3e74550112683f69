/** Reads a layer's blob once: its digest, its compression, its diffID and its tar. */

import { decompress, detectCompression, type CompressionType } from '../content/decompress.ts'
import { createDigester } from '../content/hash.ts'
import type { ByteStream, Fetcher } from '../content/store.ts'
import { OciBuildError, throwIfAborted } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import { layerCompression } from '../spec/media-type.ts'
import type { Findings } from './validate-finding.ts'
import { createTarCheck } from './validate-tar.ts'
import type { LayerNames } from './validate-tar-entries.ts'

export interface LayerFacts {
  /** The digest of the uncompressed bytes, of the algorithm asked for; undefined when they could not be read. */
  readonly diffId: Digest | undefined
  /** Undefined when it is no layer type that we know, or could not be read to its end. */
  readonly names: LayerNames | undefined
}

export interface LayerOptions {
  readonly signal?: AbortSignal | undefined
  readonly diffIdAlgorithm: 'sha256' | 'sha512'
  /** Called with the bytes of the blob as they are read. */
  readonly onBytes: (bytes: number) => void
}

/** What is wrong with the bytes becomes findings; throws what the store throws when it cannot be asked. */
export async function checkLayerBlob(
  store: Fetcher,
  descriptor: Descriptor,
  where: string,
  findings: Findings,
  options: LayerOptions,
): Promise<LayerFacts> {
  const source = await openBlob(store, descriptor, where, findings, options)
  if (source === undefined) return { diffId: undefined, names: undefined }
  const wanted = layerCompression(descriptor.mediaType)
  const digester = createDigester(options.diffIdAlgorithm)
  const tar = wanted === undefined ? undefined : await createTarCheck(where, findings)
  let readable = true
  // Go's gzip reader, which engines use, takes no other bytes after the stream; zlib ignores them.
  const onConsumed = (bytes: number): void => {
    if (bytes >= descriptor.size) return
    const message = `${descriptor.size - bytes} bytes follow the gzip stream`
    findings.add('OCB-VALIDATE-COMPRESSION-TRAILING', where, message)
  }
  try {
    const seen = detectCompression(await source.head())
    if (wanted !== undefined && seen !== wanted) {
      const message = `${descriptor.mediaType} over bytes that are ${compressionNames[seen]}`
      findings.add('OCB-VALIDATE-COMPRESSION', where, message)
    }
    for await (const chunk of decompress(source.bytes(), seen, onConsumed)) {
      throwIfAborted(options.signal)
      digester.update(chunk)
      await tar?.write(chunk)
    }
  } catch (error) {
    if (!addContentFinding(error, where, findings)) throw error
    readable = false
  }
  // The compressed stream may be damaged or end early; the store still has to see every byte for its digest.
  await source.drain()
  if (!readable) return { diffId: undefined, names: undefined }
  return { diffId: digester.digest(), names: await tar?.end() }
}

const compressionNames: Readonly<Record<CompressionType, string>> = {
  gzip: 'gzip',
  zstd: 'zstd',
  none: 'not compressed',
}

/** Reads a blob to its end, for its size and digest only. */
export async function checkBlob(
  store: Fetcher,
  descriptor: Descriptor,
  where: string,
  findings: Findings,
  options: Pick<LayerOptions, 'signal' | 'onBytes'>,
): Promise<void> {
  const source = await openBlob(store, descriptor, where, findings, options)
  await source?.drain()
}

/** Turns what a store says about content into a finding; false for all other errors. */
export function addContentFinding(error: unknown, where: string, findings: Findings): boolean {
  if (!(error instanceof OciBuildError)) return false
  switch (error.code) {
    case 'OCB-CONTENT-NOT-FOUND':
      findings.add('OCB-VALIDATE-MISSING', where, error.message)
      return true
    case 'OCB-CONTENT-MISMATCH':
      findings.add('OCB-VALIDATE-CONTENT', where, error.message)
      return true
    case 'OCB-COMPRESSION-DAMAGED':
      findings.add('OCB-VALIDATE-DECOMPRESS', where, error.message)
      return true
    default:
      return false
  }
}

interface BlobSource {
  /** The first bytes, enough to tell the compression where there are as many. */
  head(): Promise<Uint8Array>
  /** All bytes, those of `head` too. Leaving it early does not close the source. */
  bytes(): ByteStream
  /** Reads what is left. A mismatch becomes a finding. */
  drain(): Promise<void>
}

async function openBlob(
  store: Fetcher,
  descriptor: Descriptor,
  where: string,
  findings: Findings,
  { signal, onBytes }: Pick<LayerOptions, 'signal' | 'onBytes'>,
): Promise<BlobSource | undefined> {
  let iterator: AsyncIterator<Uint8Array>
  try {
    iterator = (await store.fetch(descriptor, { signal }))[Symbol.asyncIterator]()
  } catch (error) {
    if (addContentFinding(error, where, findings)) return undefined
    throw error
  }
  const early: Uint8Array[] = []
  let ended = false
  const read = async (): Promise<Uint8Array | undefined> => {
    if (ended) return undefined
    throwIfAborted(signal)
    try {
      const result = await iterator.next()
      ended = result.done === true
      if (result.done === true) return undefined
      onBytes(result.value.length)
      return result.value
    } catch (error) {
      ended = true
      throw error
    }
  }
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield* early.splice(0)
    for (let chunk = await read(); chunk !== undefined; chunk = await read()) yield chunk
  }
  return {
    async head() {
      while (early.reduce((sum, chunk) => sum + chunk.length, 0) < 4) {
        const chunk = await read()
        if (chunk === undefined) break
        early.push(chunk)
      }
      return Buffer.concat(early.slice(0, 4))
    },
    bytes,
    async drain() {
      try {
        while ((await read()) !== undefined);
      } catch (error) {
        if (!addContentFinding(error, where, findings)) throw error
      }
    },
  }
}
