/** Writes placements into a folder as a root file system, plainly and independently of the layer writer. */

import { chmodSync, copyFileSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Placement } from '../../src/plan/placement.ts'

/** Parents must come before children. Owners are set only when this process is root. */
export function materialise(placements: readonly Placement[], root: string): void {
  for (const placement of placements) {
    const path = join(root, placement.path)
    if (placement.type === 'directory') {
      mkdirSync(path, { recursive: true })
      chmodSync(path, placement.mode ?? 0o755)
    } else if (placement.type === 'symlink') {
      symlinkSync(placement.target, path)
    } else if (placement.type === 'file') {
      const { source } = placement
      if (source.kind === 'host') copyFileSync(source.path, path)
      else writeFileSync(path, source.bytes)
      chmodSync(path, placement.mode ?? 0o755)
    } else {
      throw new Error(`${placement.path}: a base places no ${placement.type}`)
    }
    if ('owner' in placement && process.getuid?.() === 0) {
      const [uid = 0, gid = 0] = (placement.owner ?? '0:0').split(':').map(Number)
      lchownSync(path, uid, gid)
    }
  }
}
