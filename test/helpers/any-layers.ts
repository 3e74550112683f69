/** Entries of layers and placements over few names, so that they meet. */

import * as fc from 'fast-check'
import type { Placement } from '../../src/plan/placement.ts'
import type { LayerEntry } from '../../src/rootfs/tree-types.ts'
import { directory, file, folder, opaque, remove, symlink } from './layers.ts'

const names = ['a', 'b', 'c', 'd'] as const
const path = fc
  .array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'))
const owner = fc.constantFrom(0, 1, 1000)
export const anyLayerEntry: fc.Arbitrary<LayerEntry> = fc
  .record({
    path: fc.oneof({ weight: 12, arbitrary: path }, { weight: 1, arbitrary: fc.constant('') }),
    kind: fc.constantFrom(
      'directory',
      'directory',
      'directory',
      'file',
      'symlink',
      'hardlink',
      'whiteout',
      'opaque',
    ),
    mode: fc.constantFrom(0o755, 0o700, 0o1777),
    uid: owner,
    gid: owner,
    to: fc.oneof(
      path,
      path.map((text) => `/${text}`),
      path.map((text) => `../${text}`),
    ),
    xattr: fc.boolean(),
  })
  .map(({ kind, to, xattr, ...rest }) => ({
    ...rest,
    type: rest.path === '' ? 'directory' : kind,
    mtime: 0,
    size: 0,
    target: kind === 'symlink' ? to : kind === 'hardlink' ? 'a' : undefined,
    xattrs: xattr ? { 'user.k': 'dg==' } : undefined,
  }))
/** A file, link or folder of a spec, or the removal of one. */
export const anyPlacement: fc.Arbitrary<Placement> = fc
  .record({
    path: path.map((text) => `/${text}`),
    kind: fc.constantFrom('file', 'file', 'file', 'directory', 'folder', 'symlink', 'remove', 'opaque'),
  })
  .map((one) => {
    switch (one.kind) {
      case 'file':
        return file(one.path)
      case 'directory':
        return directory(one.path)
      case 'folder':
        return folder(one.path)
      case 'symlink':
        return symlink(one.path, 'b/c')
      case 'remove':
        return remove(one.path)
      default:
        return opaque(one.path)
    }
  })
