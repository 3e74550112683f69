/** Placements, lower layers and changesets in short, for the tests of layers. */

import { sha256 } from '../../src/content/hash.ts'
import { createDeflater, type Deflater } from '../../src/deflate/deflater.ts'
import type { Compression } from '../../src/config/resolved-spec.ts'
import type { Changeset, ChangesetEntry } from '../../src/layer/changeset.ts'
import { encodeLayer } from '../../src/layer/encode-layer.ts'
import type { LowerFiles } from '../../src/layer/lower.ts'
import { normalizeLayer } from '../../src/layer/normalize.ts'
import type { ContentDigests, FileEntry } from '../../src/layer/tar-blocks.ts'
import type { Placement, PlannedLayer } from '../../src/plan/placement.ts'
import { createTree } from '../../src/rootfs/tree.ts'
import type { LayerEntry, LayerEntryType } from '../../src/rootfs/tree-types.ts'
import { collectBytes } from './images.ts'

type Of<Type extends Placement['type']> = Partial<Extract<Placement, { readonly type: Type }>>

const origin = 'layers[0].entries[0]'

export function file(path: string, content: string | Uint8Array = path, more: Of<'file'> = {}): Placement {
  const source = { kind: 'bytes', bytes: Buffer.from(content) } as const
  return { type: 'file', path, origin, mode: 0o644, owner: undefined, mtime: 'content', source, ...more }
}

/** A `directory` entry of the spec. */
export function directory(path: string, more: Of<'directory'> = {}): Placement {
  return {
    type: 'directory',
    path,
    origin,
    mode: undefined,
    owner: undefined,
    mtime: 'content',
    explicit: true,
    ...more,
  }
}

/** A folder that a copy brings along. */
export function folder(path: string, more: Of<'directory'> = {}): Placement {
  return directory(path, { explicit: false, ...more })
}

export function symlink(path: string, target: string, more: Of<'symlink'> = {}): Placement {
  return { type: 'symlink', path, origin, target, owner: undefined, mtime: 'content', ...more }
}

export const hardlink = (path: string, target: string): Placement => ({
  type: 'hardlink',
  path,
  origin,
  target,
})
export const remove = (path: string): Placement => ({ type: 'remove', path, origin })
export const opaque = (path: string): Placement => ({ type: 'opaque', path, origin })

export function append(path: string, content: string): Placement {
  return { type: 'append', path, origin, source: { kind: 'bytes', bytes: Buffer.from(content) } }
}

export function layerOf(placements: readonly Placement[], name = 'layer'): PlannedLayer {
  return { name, at: 'layers[0]', compression: { type: 'none' }, placements }
}

/** `d /usr 0700 1:2`, `f /etc/passwd`, `l /bin usr/bin`, `h /b a`: mode and owner may be left out. */
export function lowerEntries(...lines: readonly string[]): LayerEntry[] {
  const types: Readonly<Record<string, LayerEntryType>> = {
    d: 'directory',
    f: 'file',
    l: 'symlink',
    h: 'hardlink',
  }
  return lines.map((line) => {
    const [letter = '', path = '', ...words] = line.split(' ')
    const type = types[letter] ?? 'file'
    const target = letter === 'l' || letter === 'h' ? words.shift() : undefined
    const [mode = type === 'directory' ? '755' : '644', owner = '0:0'] = words
    const [uid = 0, gid = 0] = owner.split(':').map(Number)
    return {
      path: path.replace(/^\//, ''),
      type,
      mode: Number.parseInt(mode, 8),
      uid,
      gid,
      mtime: 0,
      size: 0,
      target,
    }
  })
}

export interface CountedLower {
  readonly open: () => Promise<LowerFiles>
  /** How often it was opened. */
  opened(): number
}

/** What lies below: one layer of names, and the contents of some of its files. */
export function lowerOf(
  entries: readonly LayerEntry[] = [],
  contents: Readonly<Record<string, string>> = {},
): CountedLower {
  let opened = 0
  return {
    opened: () => opened,
    async open() {
      opened += 1
      return {
        tree: createTree([entries]),
        readFile: async (path) => {
          const content = contents[`/${path}`]
          if (content === undefined) throw new Error(`the test gave no content for /${path}`)
          return Buffer.from(content)
        },
      }
    },
  }
}

/** Normalises placements over a lower layer: one line an entry. */
export async function normalized(
  placements: readonly Placement[],
  lower: CountedLower = lowerOf(),
): Promise<string[]> {
  const { entries } = await normalizeLayer(layerOf(placements), lower.open)
  return entries.map(describeEntry)
}

/** `d /usr 0755 0:0`, `f /a 0644 0:0 content`, `l /a -> b`, `h /a => b`, `w /gone`, `o /dir`. */
export function describeEntry(entry: ChangesetEntry): string {
  const rights = `${entry.mode.toString(8).padStart(4, '0')} ${entry.uid}:${entry.gid}`
  const path = `/${entry.path}`
  switch (entry.type) {
    case 'file':
      return `f ${path} ${rights} ${entry.source.kind === 'bytes' ? Buffer.from(entry.source.bytes).toString() : entry.source.path}`
    case 'directory':
      return `d ${path} ${rights}`
    case 'symlink':
      return `l ${path} -> ${entry.target}`
    case 'hardlink':
      return `h ${path} => /${entry.target}`
    case 'whiteout':
      return `w ${path}`
    case 'opaque':
      return `o ${path}`
  }
}

/** Digests of one pass only. */
export function passDigests(): ContentDigests {
  const found = new Map<FileEntry, Uint8Array>()
  return {
    known: (entry) => found.get(entry),
    found: (entry, _, digest) => void found.set(entry, digest),
    isSettled: () => false,
  }
}

/** What encoding needs beside the settings; two threads, so that blocks come back in another order than they went. */
export const encoding: { readonly encoderId: string; readonly deflater: Deflater } = {
  encoderId: '',
  deflater: createDeflater(2),
}

export interface EncodedBytes {
  readonly blob: Buffer
  readonly diffId: string
  readonly digest: string
}

export async function encodeBytes(
  changeset: Changeset,
  compression: Compression = { type: 'none' },
): Promise<EncodedBytes> {
  const encoded = encodeLayer(changeset, { compression, ...encoding, digests: passDigests() })
  const blob = await collectBytes(encoded.blob)
  return { blob, diffId: encoded.diffId(), digest: sha256(blob) }
}

/** The same threads, and how many blocks they and this one were given to compress since the last time. */
export function countingDeflater(threads: Deflater): { readonly deflater: Deflater; taken(): number } {
  let compressed = 0
  const counted =
    <Job, Rest extends readonly unknown[], Result>(compress: (job: Job, ...rest: Rest) => Result) =>
    (job: Job, ...rest: Rest): Result => {
      compressed += 1
      return compress(job, ...rest)
    }
  return {
    deflater: { ...threads, deflate: counted(threads.deflate), deflateHere: counted(threads.deflateHere) },
    taken() {
      const taken = compressed
      compressed = 0
      return taken
    },
  }
}
