/** What layers held when they were last built, so that a plan can say what changed: one file a layer, by its names. */

import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { Compression } from '../config/resolved-spec.ts'
import { writeMemory } from '../content/atomic-file.ts'
import { sha256 } from '../content/hash.ts'
import type { Changeset } from './changeset.ts'
import { decodeFacts, encodeFacts } from './encode-facts.ts'
import type { EntryFacts } from './entry-facts.ts'

/** Which layer: of machines, projects and tags nothing, so that a restored cache is as good. */
export interface LayerName {
  /** The image's name without tag, and its key where the config has several. */
  readonly image: string
  readonly platform: string
  /** The layer's; with a number where an image has several of that name. */
  readonly layer: string
}

export interface BuiltFacts {
  /** As `layerKey` gives it. */
  readonly key: string
  /** `gzip:5`. */
  readonly compression: string
  readonly entries: readonly EntryFacts[]
}

/** A layer that was just made or found; `contents` as in `encodeFacts`. */
export interface MadeLayer {
  readonly changeset: Changeset
  readonly contents: Uint8Array
  readonly key: string
  readonly compression: Compression
}

export interface BuiltLayers {
  /** Writes it down, unless it is what was written last: then a few bytes are read and that is all. */
  remember(name: LayerName, layer: MadeLayer): void
  /** The last that was remembered; a damaged record is taken as none. */
  recall(name: LayerName): BuiltFacts | undefined
}

// The first line, up to where the facts begin: `ocibuild built 1 KEY COMPRESSION`.
const format = 'ocibuild built 1'
const headBytes = 256

export function openBuiltLayers(dir: string): BuiltLayers {
  const fileOf = ({ image, platform, layer }: LayerName): string =>
    join(dir, sha256(`${image}\n${platform}\n${layer}`).slice('sha256:'.length, 39))
  return {
    remember(name, { changeset, contents, key, compression }) {
      const path = fileOf(name)
      const head = `${format} ${key} ${formatCompression(compression)}\n`
      if (readStart(path).startsWith(head)) return
      const facts = encodeFacts(changeset, contents)
      writeMemory(path, Buffer.concat([Buffer.from(head), facts]), dir)
    },
    recall(name) {
      let bytes: Buffer
      try {
        bytes = readFileSync(fileOf(name))
      } catch {
        return undefined
      }
      const head = bytes.subarray(0, bytes.indexOf('\n')).toString()
      const [, key, compression] = /^ocibuild built 1 ([0-9a-f]{64}) (\S+)$/.exec(head) ?? []
      const entries = decodeFacts(bytes.subarray(head.length + 1))
      if (key === undefined || compression === undefined || entries === undefined) return undefined
      return { key, compression, entries }
    },
  }
}

/** `gzip:5`, `none`. */
export function formatCompression(compression: Compression): string {
  return compression.type === 'none' ? 'none' : `${compression.type}:${compression.level}`
}

/** The first bytes of a file; '' where there is none. */
function readStart(path: string): string {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return ''
  }
  try {
    const buffer = Buffer.alloc(headBytes)
    const length = readSync(file, buffer, 0, headBytes, 0)
    return buffer.toString('latin1', 0, length)
  } finally {
    closeSync(file)
  }
}
