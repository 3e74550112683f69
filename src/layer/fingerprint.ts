/** What a planned layer is made of, in one digest that is found without reading a file: the same one, the same layer. */

import type { Compression } from '../config/resolved-spec.ts'
import { createDigester, sha256 } from '../content/hash.ts'
import type { PlacedTree } from '../plan/placed-tree.ts'
import type { PlannedLayer, Placement } from '../plan/placement.ts'
import type { FileSource } from '../rootfs/file-source.ts'
import { formatVersion } from './layer-key.ts'
import { racyMs } from '../cache/racy-times.ts'

export interface FingerprintOptions {
  readonly compression: Compression
  /** Of all that lies below: `baseFingerprint`, then the fingerprint of each lower layer. */
  readonly lower: string
  readonly encoderId: string
  /**
   * When this build began, in milliseconds since the epoch. A file that was written shortly before could be written
   * again without its times moving, so a layer that holds one has no fingerprint.
   */
  readonly startedMs: number
}

const numbersAtOnce = 16 * 1024
const textAtOnce = 1_000_000
const encoder = new TextEncoder()

/** The fingerprint of what lies below the first layer: the base's own layers, by digest. */
export function baseFingerprint(layerDigests: readonly string[]): string {
  return sha256(`ocibuild base\n${layerDigests.join('\n')}`)
}

/**
 * Digests every placement, of files their stat as the file digests do (path, size, mtime, ctime, inode). Undefined
 * where that does not decide the layer: a file written just now, or a copy of this build whose digest is not known.
 */
export function fingerprintOf(layer: PlannedLayer, options: FingerprintOptions): string | undefined {
  const { compression, lower, encoderId, startedMs } = options
  const digester = createDigester()
  const numbers = new Float64Array(numbersAtOnce)
  let count = 0
  let text = `ocibuild placements ${formatVersion} ${JSON.stringify(compression)} ${encoderId} ${lower}\n`
  for (const placement of layer.placements) {
    if (placement.type === 'tree') {
      if (placement.columns.newestMs > startedMs - racyMs) return undefined
      text += `tree\0${treeDigest(placement)}\n`
      continue
    }
    const { type, path } = placement
    text += `${type}\0${path}\0${detailOf(placement)}\n`
    if (type === 'file' || type === 'append') {
      const { source } = placement
      if (source.kind === 'host' && source.digest === undefined) {
        if (source.temporary === true) return undefined
        if (Math.max(source.mtimeMs, source.ctimeMs) > startedMs - racyMs) return undefined
        text += `${source.path}\0`
        numbers[count] = source.offset ?? 0
        numbers[count + 1] = source.size
        numbers[count + 2] = source.mtimeMs
        numbers[count + 3] = source.ctimeMs
        numbers[count + 4] = source.ino
        count += 5
      } else text += `${digestOf(source)}\0`
    }
    if (count > numbersAtOnce - 5) {
      digester.update(new Uint8Array(numbers.buffer, 0, count * 8))
      count = 0
    }
    if (text.length > textAtOnce) {
      digester.update(encoder.encode(text))
      text = ''
    }
  }
  digester.update(new Uint8Array(numbers.buffer, 0, count * 8))
  digester.update(encoder.encode(text))
  return digester.digest()
}

/** Of its columns as they are: the order of bytes is this machine's, as the digest is. */
function treeDigest({ path, owner, mtime, columns }: PlacedTree): string {
  const { hostFolder, names, parents, types, modes, stats, targets, hostPaths } = columns
  const digester = createDigester()
  const folders = Array.from(hostPaths.values())
  for (const list of [names, Array.from(targets.values()), folders]) {
    digester.update(encoder.encode(`${list.length}\0${list.join('\0')}\n`))
  }
  for (const { buffer, byteOffset, byteLength } of [parents, types, modes, stats]) {
    digester.update(new Uint8Array(buffer, byteOffset, byteLength))
  }
  digester.update(encoder.encode(JSON.stringify([path, owner, mtime, hostFolder])))
  return digester.digest()
}

/** What a placement says beside its type and path. No two kinds say the same in other words: the type stands before. */
function detailOf(placement: Placement): string {
  switch (placement.type) {
    case 'file':
      return `${placement.mode} ${placement.mtime} ${placement.owner ?? ''}`
    case 'directory': {
      const { mode, mtime, owner, explicit } = placement
      return `${mode ?? ''} ${mtime} ${explicit} ${owner ?? ''}`
    }
    case 'symlink':
      return `${placement.mtime} ${placement.owner ?? ''}\0${placement.target}`
    case 'hardlink':
      return placement.target
    case 'remove':
    case 'opaque':
    case 'append':
      return ''
  }
}

function digestOf(source: FileSource): string {
  return source.kind === 'bytes' ? sha256(source.bytes) : (source.digest ?? '')
}
