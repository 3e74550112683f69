/** The order in which a host lists its folders never shows. */

import * as fc from 'fast-check'
import type * as Fs from 'node:fs'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { compareBytes } from '../../src/spec/json.ts'
import { copyEntry, lines, makeFolder, planContext, planEntries } from './plan-helpers.ts'

const { order } = vi.hoisted(() => ({ order: { of: (names: unknown[]): unknown[] => names } }))

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof Fs>()
  const readdirSync = (...parameters: Parameters<typeof fs.readdirSync>): unknown =>
    order.of(fs.readdirSync(...parameters))
  return { ...fs, default: fs, readdirSync }
})

/** A permutation that a seed decides. */
function shuffle<T>(items: readonly T[], seed: number): T[] {
  const shuffled = [...items]
  let state = seed | 1
  for (let index = shuffled.length - 1; index > 0; index -= 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const other = state % (index + 1)
    const [a, b] = [shuffled[index], shuffled[other]]
    if (a !== undefined && b !== undefined) [shuffled[index], shuffled[other]] = [b, a]
  }
  return shuffled
}

const name = fc
  .string({
    unit: fc.constantFrom('a', 'b', 'B', '.', '-', '[', 'é', '\uffee', '😀', ' ', '!'),
    minLength: 1,
    maxLength: 4,
  })
  .filter((text) => text !== '.' && text !== '..')
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'))

describe('the order of readdir', () => {
  it('changes no placement, of folders and globs, with patterns, followed and hard links', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(path, { minLength: 1, maxLength: 12 }),
        fc.integer(),
        fc.constantFrom('d', 'd/**', 'd/*', 'd/*/*'),
        fc.boolean(),
        async (paths, seed, copy, follow) => {
          const root = mkdtempSync(join(tmpdir(), 'ocibuild-order-'))
          try {
            makeTree(root, paths)
            const entry = copyEntry(root, copy, '/x', {
              follow,
              hardLinks: 'preserve',
              exclude: ['**/b*', '!**/ba*'],
            })
            const plan = async (): Promise<unknown> => {
              try {
                return lines((await planEntries([entry], planContext(root))).placements)
              } catch (error) {
                return String(error)
              }
            }
            order.of = (names) => names
            const plain = await plan()
            order.of = (names) => shuffle(names, seed)
            expect(await plan()).toEqual(plain)
          } finally {
            order.of = (names) => names
            rmSync(root, { recursive: true })
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('is replaced by the order of bytes, name by name', async () => {
    const root = makeFolder()
    makeTree(root, ['a/x', 'a-b', 'a', 'B', '\uffee', '😀', 'é'])
    order.of = (names) => names.toReversed()
    const { placements } = await planEntries([copyEntry(root, 'd', '/x')], planContext(root))
    order.of = (names) => names
    const paths = placements.slice(1).map((placement) => placement.path)
    // A zero byte sorts before all others, so that what is in a folder comes right after it.
    const key = (text: string): string => text.replaceAll('/', '\0')
    expect(paths).toEqual(paths.toSorted((a, b) => compareBytes(key(a), key(b))))
    expect(paths.at(-1)).toBe('/x/😀')
  })
})

/** Files at the paths; one that needs a folder where a file is, is left out. Some become links to an earlier one. */
function makeTree(root: string, paths: readonly string[]): void {
  mkdirSync(join(root, 'd'))
  let earlier: string | undefined
  for (const [index, path] of paths.entries()) {
    const full = join(root, 'd', path)
    try {
      mkdirSync(dirname(full), { recursive: true })
      if (earlier !== undefined && index % 4 === 1) linkSync(earlier, full)
      else if (earlier !== undefined && index % 4 === 2) symlinkSync(earlier, full)
      else writeFileSync(full, path, { flag: 'wx' })
      earlier ??= full
    } catch {
      // Two of the paths do not fit into one tree.
    }
  }
}
