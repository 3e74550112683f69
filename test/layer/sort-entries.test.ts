import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sortEntries } from '../../src/layer/sort-entries.ts'
import type { ChangesetEntry } from '../../src/layer/changeset.ts'
import { describeEntry, file, lowerEntries, lowerOf, normalized, opaque, remove } from '../helpers/layers.ts'

function entries(...paths: readonly string[]): ChangesetEntry[] {
  return paths.map((line) => {
    const [type, path = ''] = line.split(' ')
    const common = { path, mode: 0, uid: 0, gid: 0, mtime: 0 }
    if (type === 'w') return { ...common, type: 'whiteout' }
    if (type === 'o') return { ...common, type: 'opaque' }
    return { ...common, type: 'directory' }
  })
}

function sorted(...paths: readonly string[]): string[] {
  return sortEntries(entries(...paths)).map((entry) => describeEntry(entry).split(' ').slice(0, 2).join(' '))
}

describe('the order of entries', () => {
  it('compares component by component, so that what a directory holds comes right after it', () => {
    expect(sorted('d a.txt', 'd a-b', 'd a/b', 'd a', 'd a/b/c', 'd a!b', 'd A')).toEqual([
      'd /A',
      'd /a',
      'd /a/b',
      'd /a/b/c',
      'd /a!b',
      'd /a-b',
      'd /a.txt',
    ])
  })

  it('puts in each directory its own entry, the marker, the whiteouts, then the rest', () => {
    expect(sorted('d !', 'w z', 'd d/!', 'w d/z', 'w d/a', 'o d', 'd d', 'o ', 'd ', 'd d/b')).toEqual([
      'd /',
      'o /',
      'w /z',
      'd /!',
      'd /d',
      'o /d',
      'w /d/a',
      'w /d/z',
      'd /d/!',
      'd /d/b',
    ])
  })

  it('compares names as bytes: what lies beyond the BMP comes after U+FFFF, which UTF-16 turns round', () => {
    expect(sorted('d 😀', 'd \uffee', 'd é', 'd z', 'd \ue000')).toEqual([
      'd /z',
      'd /é',
      'd /\ue000',
      'd /\uffee',
      'd /😀',
    ])
  })

  it('is that of lists of components as bytes, for any names', () => {
    const name = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 3 })
      .filter((text) => !/[/\0]/.test(text))
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
    const compare = (a: string, b: string): number => {
      const [left, right] = [a.split('/'), b.split('/')]
      for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
        const order = Buffer.compare(Buffer.from(left[index] ?? ''), Buffer.from(right[index] ?? ''))
        if (order !== 0) return order
      }
      return left.length - right.length
    }
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 20 }), (paths) => {
        const common = { mode: 0, uid: 0, gid: 0, mtime: 0, type: 'directory' } as const
        const found = sortEntries(paths.map((one) => ({ ...common, path: one }))).map((entry) => entry.path)
        expect(found).toEqual(paths.toSorted(compare))
      }),
    )
  })

  it('holds for a layer that removes, hides and adds', async () => {
    const lower = lowerOf(lowerEntries('d /a', 'f /a/y', 'f /a/z', 'f /z', 'd /a-b', 'f /a-b/x'))
    const placements = [
      file('/a.txt', '1'),
      file('/a/b', '2'),
      opaque('/a-b'),
      remove('/a/z'),
      remove('/z'),
      remove('/a/y'),
    ]
    expect(await normalized(placements, lower)).toEqual([
      'w /z',
      'd /a 0755 0:0',
      'w /a/y',
      'w /a/z',
      'f /a/b 0644 0:0 2',
      'd /a-b 0755 0:0',
      'o /a-b',
      'f /a.txt 0644 0:0 1',
    ])
  })
})
