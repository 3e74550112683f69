/** The entries of any tar, by tar-stream: ustar, GNU and PAX names, numbers and extended attributes put together. */

import type { Extract, Header } from 'tar-stream'
import { OciBuildError, messageOf, throwIfAborted } from '../errors.ts'
import type { ByteStream } from '../content/store.ts'
import { printableName } from './entry-name.ts'
import {
  createHeaderWatcher,
  damagedArchive,
  type HeaderExtras,
  type HeaderWatcher,
  type PaxRecords,
} from './tar-headers.ts'

export interface TarEntry {
  /** As it stands, decoded as UTF-8; what is no UTF-8 became U+FFFD. */
  readonly name: string
  /** '' where there is none. */
  readonly linkName: string
  /** Whether name and link name are UTF-8. */
  readonly utf8: boolean
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'character' | 'block' | 'fifo'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Whole seconds. */
  readonly mtime: number
  readonly size: number
  readonly xattrs: Readonly<Record<string, string>> | undefined
  /** Readable once, until the next entry is asked for; skipped when it is not read. */
  readonly content: ByteStream
}

export interface TarOptions {
  /** How errors name the archive. Default: `the archive`. */
  readonly archive?: string | undefined
  readonly signal?: AbortSignal | undefined
}

const types: Readonly<Record<string, TarEntry['type']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
}

/**
 * Reads an uncompressed tar. The end-of-archive marker may be missing; what follows it is ignored, but the
 * source is always read to its end, so that a source that checks its digest does. GNU volume labels are skipped.
 * Throws `OCB-ARCHIVE-DAMAGED`, `OCB-ARCHIVE-UNSAFE` (oversized headers), `OCB-ARCHIVE-UNSUPPORTED`
 * (sparse files, unknown types), and what the source throws.
 */
export async function* readTar(bytes: ByteStream, options: TarOptions = {}): AsyncGenerator<TarEntry> {
  const { archive = 'the archive', signal } = options
  const { extract: createExtract } = await import('tar-stream')
  // latin1 keeps the bytes of names, which `decodeName` then decodes with a check.
  const settings = { highWaterMark: 64 * 1024, filenameEncoding: 'latin1', allowUnknownFormat: true }
  const extract = createExtract(settings)
  const watcher = createHeaderWatcher(archive)
  let sourceError: unknown
  const pumping = pump(bytes, extract, watcher, signal).catch((error: unknown) => {
    sourceError = error
    extract.destroy(error instanceof Error ? error : new Error(String(error)))
  })
  let last: string | undefined
  const explain = (error: unknown): unknown => {
    if (sourceError !== undefined) return sourceError
    if (error instanceof OciBuildError) return error
    const where = last === undefined ? 'at its first entry' : `at or after entry ${printableName(last)}`
    return damagedArchive(archive, `the tar cannot be read ${where}: ${messageOf(error)}`, error)
  }
  try {
    for await (const stream of extract) {
      const { header } = stream
      const extras = watcher.take(stream.offset)
      if (!extras) throw damagedArchive(archive, `the header of ${printableName(header.name)} is ambiguous`)
      const content = readContent(stream, explain)
      const entry = toEntry(header, extras, archive, content.stream)
      if (entry) {
        last = entry.name
        yield entry
      }
      await content.skip()
    }
    await pumping
    if (sourceError !== undefined) throw sourceError
  } catch (error) {
    throw explain(error)
  } finally {
    extract.destroy(null)
    await pumping
  }
}

async function pump(
  bytes: ByteStream,
  extract: Extract,
  watcher: HeaderWatcher,
  signal: AbortSignal | undefined,
): Promise<void> {
  let wake = (): void => {}
  let closed = false
  extract.on('drain', () => wake())
  extract.on('close', () => {
    closed = true
    wake()
  })
  for await (const chunk of bytes) {
    throwIfAborted(signal)
    const wanted = watcher.watch(chunk)
    if (wanted.length === 0) continue
    const ready = new Promise<void>((resolve) => {
      wake = resolve
    })
    if (!extract.write(wanted) && !closed) await ready
    if (closed) return
  }
  watcher.end()
  extract.end(null)
}

/** Content read by hand: `for await` on the stream itself would, when left early, destroy the whole archive's. */
function readContent(
  stream: AsyncIterable<unknown> & { resume(): unknown },
  explain: (error: unknown) => unknown,
): { readonly stream: ByteStream; skip(): Promise<void> } {
  const state: { started?: AsyncIterator<unknown> } = {}
  async function* read(): AsyncGenerator<Uint8Array> {
    const iterator = (state.started ??= stream[Symbol.asyncIterator]())
    try {
      for (;;) {
        const { value, done } = await iterator.next()
        if (done === true) return
        if (value instanceof Uint8Array) yield value
      }
    } catch (error) {
      throw explain(error)
    }
  }
  return {
    stream: { [Symbol.asyncIterator]: read },
    async skip() {
      const { started } = state
      if (!started) stream.resume()
      else while ((await started.next()).done !== true);
    },
  }
}

function toEntry(
  header: Header,
  { typeFlag, pax }: HeaderExtras,
  archive: string,
  content: ByteStream,
): TarEntry | undefined {
  const name = decodeName(pax?.get('path'), header.name)
  const linkName = decodeName(pax?.get('linkpath'), header.linkname ?? '')
  // A volume label names the tape, not a file.
  if (typeFlag === 'V') return undefined
  const type = types[typeFlag]
  if (!type) {
    throw new OciBuildError('OCB-ARCHIVE-UNSUPPORTED', {
      message: `${archive}: entry ${printableName(name.text)} has the type ${printableName(typeFlag)}, which layers do not hold`,
      hint: 'make the archive again with --format=pax',
    })
  }
  const number = (value: number | null | undefined, what: string): number => {
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value
    throw damagedArchive(archive, `entry ${printableName(name.text)} has no valid ${what}`)
  }
  return {
    name: name.text,
    linkName: linkName.text,
    utf8: name.utf8 && linkName.utf8,
    // Old archives mark directories by the slash alone.
    type: type === 'file' && name.text.endsWith('/') ? 'directory' : type,
    mode: number(header.mode, 'mode') & 0o7777,
    uid: number(paxNumber(pax, 'uid') ?? header.uid, 'uid'),
    gid: number(paxNumber(pax, 'gid') ?? header.gid, 'gid'),
    mtime: number(paxNumber(pax, 'mtime') ?? (header.mtime ? header.mtime.getTime() / 1000 : 0), 'mtime'),
    size: number(header.size, 'size'),
    xattrs: pax && readXattrs(pax),
    content,
  }
}

const nonAscii = /[^\0-\x7f]/
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeName(
  pax: Buffer | undefined,
  latin1: string,
): { readonly text: string; readonly utf8: boolean } {
  if (!pax?.length && !nonAscii.test(latin1)) return { text: latin1, utf8: true }
  const bytes = pax?.length ? pax : Buffer.from(latin1, 'latin1')
  try {
    return { text: strictUtf8.decode(bytes), utf8: true }
  } catch {
    return { text: bytes.toString('utf8'), utf8: false }
  }
}

/** Whole, rounded down; NaN when it is no number. */
function paxNumber(pax: PaxRecords | undefined, key: string): number | undefined {
  const text = pax?.get(key)?.toString('latin1')
  if (!text) return undefined
  return /^-?\d{1,15}(?:\.\d*)?$/.test(text) ? Math.floor(Number(text)) : Number.NaN
}

const xattrPrefix = 'SCHILY.xattr.'

function readXattrs(pax: PaxRecords): Readonly<Record<string, string>> | undefined {
  let xattrs: Record<string, string> | undefined
  for (const [key, value] of pax) {
    if (!key.startsWith(xattrPrefix)) continue
    // Without a prototype, so that a name like `__proto__` is a name.
    xattrs ??= Object.create(null) as Record<string, string>
    xattrs[key.slice(xattrPrefix.length)] = value.toString('base64')
  }
  return xattrs
}
