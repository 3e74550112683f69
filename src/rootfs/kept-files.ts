/** Small files of layers, kept by the layer's digest and their path, so that a base is not decompressed for its passwd again. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../content/atomic-file.ts'
import { sha256 } from '../content/hash.ts'

const formatVersion = 1
/** Larger ones are read from their layer each time. */
const maxKeptBytes = 4 * 1024 * 1024

/** The bytes of a layer's file; undefined when they are not kept, damaged or of another format. */
export function readKeptFile(cacheDir: string, layer: string, path: string): Uint8Array | undefined {
  let stored: Buffer
  try {
    stored = readFileSync(fileOf(cacheDir, layer, path))
  } catch {
    return undefined
  }
  const newline = stored.indexOf(0x0a)
  const bytes = stored.subarray(newline + 1)
  return newline >= 0 && stored.toString('utf8', 0, newline) === firstLine(layer, path, bytes)
    ? bytes
    : undefined
}

/** Keeps a file; one that is too large or cannot be written is not kept. */
export function keepFile(cacheDir: string, layer: string, path: string, bytes: Uint8Array): void {
  if (bytes.length > maxKeptBytes) return
  try {
    writeFileAtomic(
      fileOf(cacheDir, layer, path),
      Buffer.concat([Buffer.from(`${firstLine(layer, path, bytes)}\n`), bytes]),
    )
  } catch {
    // A memory that cannot be kept costs time, not the build.
  }
}

function fileOf(cacheDir: string, layer: string, path: string): string {
  return join(cacheDir, `${keyOf(layer, path)}.file`)
}

function keyOf(layer: string, path: string): string {
  return sha256(`${layer}\0${path}`).slice('sha256:'.length)
}

function firstLine(layer: string, path: string, bytes: Uint8Array): string {
  return `ocibuild-file ${formatVersion} ${keyOf(layer, path)} ${sha256(bytes)}`
}
