/** The facts of a layer's entries as bytes: tens of thousands in a megabyte or two, written and read in milliseconds. */

import { createIntegrityHash, sha256Bytes } from '../content/hash.ts'
import type { LayerEntryType } from '../rootfs/tree-types.ts'
import { contentTime, contentTimeOfHex } from '../tar/content-time.ts'
import type { Changeset, ChangesetEntry } from './changeset.ts'
import { formatXattrs, type EntryFacts } from './entry-facts.ts'

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

/** `contents` are the sha256 of the changeset's files, 32 bytes each, in its order. */
export function encodeFacts({ entries }: Changeset, contents: Uint8Array): Buffer {
  const table = createTraitTable()
  const linkTime = hardLinkTimes(entries, contents)
  const parts: string[] = []
  let shared = ''
  entries.forEach((entry) => {
    const { path, type } = entry
    // Of the folder alone: to find all that neighbours have in common takes longer than to write it.
    const common = path.startsWith(shared) ? shared.length : 0
    if (type === 'directory') shared = path
    else if (common === 0) shared = path.slice(0, path.lastIndexOf('/') + 1)
    const target = type === 'symlink' || type === 'hardlink' ? entry.target : ''
    const xattrs = type === 'directory' ? (formatXattrs(entry.xattrs) ?? '') : ''
    const number = table.numberOf(entry, type === 'hardlink' ? linkTime(entry) : entry.mtime)
    parts.push(`${number}\0${common}\0${path.slice(common)}\0${target}\0${xattrs}`)
  })
  const text = Buffer.from(`${JSON.stringify(table.traits)}\n${parts.join('\0')}`)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  const body = [length, text, contents]
  const hash = createIntegrityHash('sha256')
  for (const part of body) hash.update(part)
  return Buffer.concat([hash.digest(), ...body])
}

/** The facts of a changeset, in its order: those that a record of it would give. */
export function changesetFacts(changeset: Changeset, contents: Uint8Array): readonly EntryFacts[] {
  return decodeFacts(encodeFacts(changeset, contents)) ?? []
}

interface TraitTable {
  readonly traits: readonly Traits[]
  numberOf(entry: ChangesetEntry, mtime: ChangesetEntry['mtime']): number
}

function createTraitTable(): TraitTable {
  const traits: Traits[] = []
  const numbers = new Map<string, number>()
  // By type: neighbours mostly have the traits of the last of their kind, and to compare is cheaper than to spell out.
  const lasts = new Map<LayerEntryType, Traits & { readonly number: number }>()
  return {
    traits,
    numberOf({ type, mode, uid, gid, origin }, time) {
      const mtime = time === 'content' ? undefined : time
      const last = lasts.get(type)
      if (
        last !== undefined &&
        last.mode === mode &&
        last.uid === uid &&
        last.gid === gid &&
        last.mtime === mtime &&
        last.origin === origin
      ) {
        return last.number
      }
      const key = `${type} ${mode} ${uid} ${gid} ${mtime} ${origin}`
      const number = numbers.get(key) ?? traits.push({ type, mode, uid, gid, mtime, origin }) - 1
      numbers.set(key, number)
      lasts.set(type, { type, mode, uid, gid, mtime, origin, number })
      return number
    },
  }
}

/** A link has the time of its file; which those are is looked for when the first link comes. */
function hardLinkTimes(
  entries: Changeset['entries'],
  contents: Uint8Array,
): (link: Extract<ChangesetEntry, { readonly type: 'hardlink' }>) => number {
  let times: Map<string, number> | undefined
  return ({ mtime, target }) => {
    if (mtime !== 'content') return mtime
    times ??= fileTimes(entries, contents)
    return times.get(target) ?? 0
  }
}

function fileTimes(entries: Changeset['entries'], contents: Uint8Array): Map<string, number> {
  const times = new Map<string, number>()
  let file = 0
  for (const { type, path, mtime } of entries) {
    if (type !== 'file') continue
    times.set(path, mtime === 'content' ? contentTime(contents.subarray(file * digestBytes)) : mtime)
    file += 1
  }
  return times
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
