/** Unified diffs over packages, beside what git makes and what patch(1) does with them. */

import { execFileSync } from 'node:child_process'
import { afterAll, describe, expect, it } from 'vitest'
import { applyHunks, parsePatch } from '../../../src/node/lockfile/apply-patch.ts'
import { itWithPeers } from '../../helpers/peers.ts'
import { errorOf, makeProject, removeProjects } from '../project/project-kit.ts'

afterAll(removeProjects)

function apply(before: string, patch: string): string {
  const [file, ...more] = parsePatch(patch, 'the patch')
  if (file === undefined || more.length > 0) throw new Error('wanted one file')
  return applyHunks(before, file, 'the patch')
}

const numbered = (count: number): string =>
  Array.from({ length: count }, (_, index) => `line ${index + 1}\n`).join('')

describe('hunks', () => {
  const change = '@@ -2,3 +2,4 @@\n line 2\n-line 3\n+line three\n+and more\n line 4\n'
  const head = 'diff --git a/x b/x\n--- a/x\n+++ b/x\n'

  it('replace lines where they stand', () => {
    expect(apply(numbered(5), head + change)).toBe('line 1\nline 2\nline three\nand more\nline 4\nline 5\n')
  })

  it('are found some lines away', () => {
    expect(apply(`0\n0\n0\n${numbered(5)}`, head + change)).toContain('line 2\nline three\nand more\nline 4')
  })

  it('shift those after them', () => {
    const second = '@@ -8,2 +9,2 @@\n line 8\n-line 9\n+nine\n'
    expect(apply(numbered(9), head + change + second)).toMatch(/and more[^]*line 8\nnine\n$/)
  })

  it('are refused as a whole where they do not fit', async () => {
    const error = await errorOf(() => apply('other\n', head + change))
    expect(error.code).toBe('OCB-NODE-PATCH')
    expect(error.message).toBe('cannot apply the patch: hunk 1 of x (line 2) does not fit the file')
  })

  it.each([
    ['nothing', 'hello', /holds no diff/],
    ['a cut hunk', `${head}@@ -1,3 +1,3 @@\n a\n`, /ends too early/],
    ['a binary file', 'diff --git a/x b/x\nindex 1..2\nGIT binary patch\nliteral 1\n', /binary/],
  ])('are refused in a patch of %s', async (_, patch, message) => {
    const error = await errorOf(() => parsePatch(patch, 'the patch'))
    expect(error.code).toBe('OCB-NODE-PATCH')
    expect(error.message).toMatch(message)
  })
})

describe('what git makes of two texts', () => {
  const texts: readonly (readonly [string, string, string])[] = [
    ['lines in the middle', numbered(30), numbered(30).replace('line 4\n', '').replace('line 20', 'twenty')],
    ['an end without newline that stays', 'a\nb', 'a2\nb'],
    ['a newline that comes to the end', 'a\nb', 'a\nb\n'],
    ['a newline that goes from the end', 'a\nb\n', 'a\nb'],
    ['a line more at the end', 'a\n', 'a\nb\n'],
    ['a line more at the start', 'a\n', 'z\na\n'],
    ['all lines', numbered(3), 'other\n'],
    ['an empty line', 'a\n\nb\n', 'a\n\n\nb\nc\n'],
    ['a text that ends', 'a\nb\n', ''],
    ['a text that begins', '', 'a\nb\n'],
    ['white space at the end', 'a \nb\n', 'a\nb\n'],
  ]
  itWithPeers('is applied to the first and gives the second', ['git'], async () => {
    for (const [title, before, after] of texts) {
      const root = makeProject({ 'a/x': before, 'b/x': after })
      expect(apply(before, diff(root)), title).toBe(after)
    }
  })

  itWithPeers('makes, deletes and renames files', ['git'], async () => {
    const root = makeProject({
      'a/old': numbered(9),
      'a/gone': 'x\n',
      'b/new': numbered(9).replace('9', 'nine'),
      'b/made': 'm\n',
    })
    const found = parsePatch(diff(root, '-M'), 'the patch').map(({ from, to }) => [from, to])
    expect(found).toEqual(
      expect.arrayContaining([
        ['gone', undefined],
        [undefined, 'made'],
        ['old', 'new'],
      ]),
    )
  })
})

/** As pnpm patch-commit asks for it. */
function diff(root: string, ...words: readonly string[]): string {
  const args = [
    'diff',
    '--no-index',
    '--src-prefix=a/',
    '--dst-prefix=b/',
    '--full-index',
    ...words,
    'a',
    'b',
  ]
  try {
    return execFileSync('git', ['-c', 'core.safecrlf=false', ...args], { cwd: root, encoding: 'utf8' })
  } catch (error) {
    // git diff exits with 1 where there are differences.
    const text = error instanceof Error && 'stdout' in error ? String(error.stdout) : ''
    return text
      .replaceAll(/([ /])([ab])\/[ab]\//g, '$1$2/')
      .replaceAll(/^rename (from|to) [ab]\//gm, 'rename $1 ')
  }
}
