/** Reads a layer's tar for its rules: framing here, entries in validate-tar-entries. tar-stream finds the headers. */

import { isUtf8 } from 'node:buffer'
import type { Extract, Header } from 'tar-stream'
import { messageOf } from '../errors.ts'
import { printableName } from '../rootfs/entry-name.ts'
import type { Findings } from './validate-finding.ts'
import {
  createEntryRules,
  type LayerNames,
  type TarEntry,
  type TarEntryType,
} from './validate-tar-entries.ts'

const blockSize = 512
/** An archive ends with two blocks of zeros (POSIX pax, ustar Interchange Format). */
const endSize = 2 * blockSize

export interface TarCheck {
  write(chunk: Uint8Array): Promise<void>
  /** The names, as far as the tar could be read. Called once. */
  end(): Promise<LayerNames>
}

/** Never throws for what is in the tar: all of that becomes findings. */
export async function createTarCheck(where: string, findings: Findings): Promise<TarCheck> {
  const { extract } = await import('tar-stream')
  const rules = createEntryRules(where, findings)
  // latin1 keeps the bytes of names, so that names that are not UTF-8 stay apart.
  // Every write is waited for: what stands at a place in the tar is looked at while its chunk is at hand.
  const settings = { highWaterMark: 1, allowUnknownFormat: true, filenameEncoding: 'latin1' }
  const reader = extract(settings)
  const frame = createFrame()
  let failure: unknown
  let closed = false

  reader.on('entry', (header, stream, next) => {
    const entry = entryOf(header)
    if (frame.atEnd(blockSize)) {
      const message = `${printableName(entry.name)} comes after the end of the archive; most readers do not see it`
      findings.add('OCB-VALIDATE-TAR-HIDDEN', where, message)
    }
    frame.entry(Number(Reflect.get(header, 'byteOffset')), header.type === 'directory' ? 0 : header.size)
    rules.entry(entry)
    // The reader's own error says the same.
    stream.on('error', () => undefined)
    stream.on('end', () => next(null))
    stream.resume()
  })
  reader.on('error', (error: unknown) => {
    failure ??= error
  })
  reader.on('close', () => {
    closed = true
  })

  return {
    async write(chunk) {
      if (closed || failure !== undefined || chunk.length === 0) return
      frame.begin(chunk)
      if (!reader.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)))
        await settled(reader, 'drain')
      if (failure === undefined) frame.done()
    },
    async end() {
      if (!closed && failure === undefined) {
        const finished = settled(reader, 'finish')
        reader.end(undefined)
        await finished
      }
      const ended = frame.atEnd(endSize)
      if (failure !== undefined && ended) {
        findings.add('OCB-VALIDATE-TAR-TRAILING', where, 'other bytes follow the end of the archive')
      } else if (failure !== undefined) {
        findings.add('OCB-VALIDATE-TAR', where, `the tar cannot be read to its end: ${messageOf(failure)}`)
      } else if (!ended) {
        findings.add('OCB-VALIDATE-TAR-END', where, 'the archive does not end with two blocks of zeros')
      }
      return rules.finish()
    },
  }
}

/** Waits for the event, or for the end of a reader that failed. */
async function settled(reader: Extract, event: 'drain' | 'finish'): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      reader.off(event, done)
      reader.off('close', done)
      resolve()
    }
    reader.on(event, done)
    reader.on('close', done)
  })
}

/** Follows where the next header must stand, and keeps the bytes that stand there (at most `endSize`). */
function createFrame(): {
  begin(chunk: Uint8Array): void
  done(): void
  entry(byteOffset: number, size: number): void
  /** Whether `length` bytes of zeros stand where the next header must. */
  atEnd(length: number): boolean
} {
  let next = 0
  let position = 0
  let chunk: Uint8Array = new Uint8Array(0)
  let kept: Uint8Array = new Uint8Array(0)
  const look = (): Uint8Array => {
    const start = next - position
    if (start >= 0) return chunk.subarray(start, start + endSize)
    return Buffer.concat([kept, chunk.subarray(0, endSize - kept.length)])
  }
  return {
    begin(bytes) {
      chunk = bytes
    },
    done() {
      kept = look().slice()
      position += chunk.length
      chunk = new Uint8Array(0)
    },
    entry(byteOffset, size) {
      next = byteOffset + Math.ceil(size / blockSize) * blockSize
    },
    atEnd(length) {
      const bytes = look().subarray(0, length)
      return bytes.length === length && bytes.every((byte) => byte === 0)
    },
  }
}

const types: Readonly<Record<string, TarEntryType>> = {
  file: 'file',
  'contiguous-file': 'file',
  directory: 'directory',
  symlink: 'symlink',
  link: 'hardlink',
  'character-device': 'character',
  'block-device': 'block',
  fifo: 'fifo',
}

function entryOf(header: Header): TarEntry {
  const { pax } = header
  const has = (key: string): boolean => typeof pax === 'object' && pax !== null && key in pax
  const name = decode(header.name, has('path'))
  const target = header.linkname ? decode(header.linkname, has('linkpath')) : undefined
  const type = types[header.type ?? ''] ?? 'unknown'
  return {
    name: name.text,
    undecodable: name.undecodable,
    // Before ustar a directory was a file whose name ends in a slash.
    type: type === 'file' && name.text.endsWith('/') ? 'directory' : type,
    size: header.size,
    target: target?.text,
  }
}

/**
 * Header fields were decoded as latin1. PAX records were decoded as UTF-8 by the reader, which makes U+FFFD of what is
 * none; that character also stands in names that hold it, so nothing can be said of those.
 */
function decode(text: string, isPax: boolean): { readonly text: string; readonly undecodable: boolean } {
  if (isPax) return { text, undecodable: false }
  const bytes = Buffer.from(text, 'latin1')
  return isUtf8(bytes) ? { text: bytes.toString('utf8'), undecodable: false } : { text, undecodable: true }
}
