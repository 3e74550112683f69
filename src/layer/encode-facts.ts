/** The facts of a layer's entries as bytes: tens of thousands in a megabyte or two, written and read in milliseconds. */

import { sha256Bytes } from '../content/hash.ts'
import type { LayerEntryType } from '../rootfs/tree-types.ts'
import { contentTimeOfHex } from '../tar/content-time.ts'
import type { EntryFacts } from './entry-facts.ts'

// Layout: the sha256 of all that follows, 32 bytes; the length of the text, 4 bytes, little-endian; the text, UTF-8;
// then the sha256 of each file, 32 bytes each. The text: a JSON line of the traits that entries share, then for each
// entry, with a NUL after each field (no name holds one): the number of its traits, how many characters its path has
// in common with the one before, the rest of its path, its link target, its xattrs.
const digestBytes = 32
const textAt = digestBytes + 4
const fields = 5

interface Traits {
  readonly type: LayerEntryType
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** undefined: that of the content. */
  readonly mtime: number | undefined
  readonly origin: string | undefined
}

export function encodeFacts(entries: readonly EntryFacts[]): Buffer {
  const numbers = new Map<string, number>()
  const table: Traits[] = []
  const parts: string[] = []
  const digests: string[] = []
  let last = ''
  for (const entry of entries) {
    const { path, digest, target = '', xattrs = '' } = entry
    const { type, mode, uid, gid, origin } = entry
    const mtime = digest !== undefined && entry.mtime === contentTimeOfHex(digest) ? undefined : entry.mtime
    const traits = `${type} ${mode} ${uid} ${gid} ${mtime} ${origin}`
    let number = numbers.get(traits)
    if (number === undefined) {
      number = table.push({ type, mode, uid, gid, mtime, origin }) - 1
      numbers.set(traits, number)
    }
    const common = commonLength(last, path)
    parts.push(`${number}\0${common}\0${path.slice(common)}\0${target}\0${xattrs}`)
    if (digest !== undefined) digests.push(digest)
    last = path
  }
  const text = Buffer.from(`${JSON.stringify(table)}\n${parts.join('\0')}`)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  const body = Buffer.concat([length, text, Buffer.from(digests.join(''), 'hex')])
  return Buffer.concat([sha256Bytes(body), body])
}

/** Undefined where the bytes are not what `encodeFacts` gave. */
export function decodeFacts(bytes: Buffer): readonly EntryFacts[] | undefined {
  if (bytes.length < textAt) return undefined
  if (!sha256Bytes(bytes.subarray(digestBytes)).equals(bytes.subarray(0, digestBytes))) return undefined
  const textEnd = textAt + bytes.readUInt32LE(digestBytes)
  const text = bytes.toString('utf8', textAt, textEnd)
  const line = text.indexOf('\n')
  const table = parseTable(text.slice(0, line))
  const words = line + 1 === text.length ? [] : text.slice(line + 1).split('\0')
  const entries: EntryFacts[] = []
  let [last, digestAt] = ['', textEnd]
  for (let at = 0; at < words.length; at += fields) {
    const [number, common, rest, target, xattrs] = words.slice(at, at + fields)
    const traits = table[Number(number)]
    if (traits === undefined) return undefined
    const { type, mode, uid, gid, mtime, origin } = traits
    const path = last.slice(0, Number(common)) + (rest ?? '')
    let digest: string | undefined
    if (type === 'file') {
      digest = bytes.toString('hex', digestAt, digestAt + digestBytes)
      digestAt += digestBytes
    }
    entries.push({
      path,
      type,
      mode,
      uid,
      gid,
      mtime: mtime ?? (digest === undefined ? 0 : contentTimeOfHex(digest)),
      target: target || undefined,
      xattrs: xattrs || undefined,
      digest,
      origin,
    })
    last = path
  }
  return entries
}

function parseTable(text: string): readonly Traits[] {
  const values: unknown = JSON.parse(text)
  return Array.isArray(values) ? values.filter(isTraits) : []
}

/** Looks at the type alone: under the checksum it is what was written above. */
function isTraits(value: unknown): value is Traits {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function commonLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let length = 0
  while (length < most && a.charCodeAt(length) === b.charCodeAt(length)) length += 1
  // Half a character is no UTF-8.
  const code = b.charCodeAt(length - 1)
  return code >= 0xd800 && code <= 0xdbff ? length - 1 : length
}
