/** What ignore files, outputs and git hide from a copy, and what is said about it. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  copyEntry,
  copyLines,
  failureOf,
  lines,
  makeFolder,
  planContext,
  planEntries,
} from './plan-helpers.ts'

const files = {
  'src/a.ts': 'a',
  'src/a.test.ts': 't',
  'dist/a.js': 'a',
  'dist/a.js.map': 'm',
  'notes.md': 'n',
}

describe('ignored files', () => {
  it('.ociignore filters what a folder finds, from the root on', async () => {
    const root = makeFolder({ ...files, '.ociignore': '**/*.map\nsrc/*.test.ts\n' })
    expect(await copyLines(root, 'dist', '/d')).toEqual(['/d/', '/d/a.js'])
    expect(await copyLines(root, 'src', '/s')).toEqual(['/s/', '/s/a.ts'])
  })

  it('.ociignore filters what a glob finds', async () => {
    const root = makeFolder({ ...files, '.ociignore': 'src\n**/*.map' })
    expect(await copyLines(root, '{src,dist}/*', '/x')).toEqual(['/x/dist/a.js'])
  })

  it('a path named outright is never ignored, a file or a folder', async () => {
    const root = makeFolder({ ...files, '.ociignore': '*\n' })
    expect(await copyLines(root, ['notes.md', 'dist'], '/x')).toEqual([
      '/x/notes.md',
      '/x/dist/',
      '/x/dist/a.js',
      '/x/dist/a.js.map',
    ])
  })

  it('.dockerignore speaks for a copy of the root and for nothing else', async () => {
    const root = makeFolder({ ...files, '.dockerignore': 'dist\n**/*.map\n.dockerignore\n' })
    expect(await copyLines(root, '.', '/x')).toEqual([
      '/x/',
      '/x/notes.md',
      '/x/src/',
      '/x/src/a.test.ts',
      '/x/src/a.ts',
    ])
    expect(await copyLines(root, 'dist', '/x')).toEqual(['/x/', '/x/a.js', '/x/a.js.map'])
    expect(await copyLines(root, 'dist/*', '/x')).toEqual(['/x/a.js', '/x/a.js.map'])
  })

  it('.dockerignore is not read beside .ociignore, and .gitignore never', async () => {
    const root = makeFolder({
      'a.txt': 'a',
      'b.txt': 'b',
      'c.txt': 'c',
      '.ociignore': '.*ignore\na.txt',
      '.dockerignore': 'b.txt',
      '.gitignore': 'c.txt',
    })
    expect(await copyLines(root, '.', '/x')).toEqual(['/x/', '/x/b.txt', '/x/c.txt'])
  })

  it('takes back what lies in a hidden folder, and the folder on the way', async () => {
    const root = makeFolder({
      'a/b/keep.txt': 'k',
      'a/b/no.txt': 'n',
      'a/c/no.txt': 'n',
      '.ociignore': '*\n!a/b/keep.txt',
    })
    expect(await copyLines(root, '.', '/x')).toEqual(['/x/', '/x/a/', '/x/a/b/', '/x/a/b/keep.txt'])
  })

  it('reads the ignore file of the root that the entry copies from', async () => {
    const root = makeFolder({
      'pkg/a.txt': 'a',
      'pkg/b.txt': 'b',
      'pkg/.ociignore': '.ociignore\na.txt',
      '.ociignore': 'b.txt',
    })
    expect(await copyLines(join(root, 'pkg'), '.', '/x')).toEqual(['/x/', '/x/b.txt'])
  })

  it('git, outputs, the folders that only hold outputs, and the cache are never copied, at any depth', async () => {
    const root = makeFolder({
      'a.txt': 'a',
      '.git/config': 'c',
      'sub/.git': 'gitdir: x',
      'sub/b.txt': 'b',
      '.gitignore': 'x',
      'out/deep/image/index.json': '{}',
      '.ocibuild/.gitignore': '*',
      'sub/image.tar': 't',
    })
    const context = planContext(root, {
      excludedPaths: [join(root, 'out/deep/image'), join(root, 'sub/image.tar')],
    })
    for (const copy of ['.', '**', '**/*']) {
      const { placements } = await planEntries([copyEntry(root, copy, '/x')], context)
      expect(lines(placements).filter((line) => line !== '/x/')).toEqual([
        '/x/.gitignore',
        '/x/a.txt',
        '/x/sub/',
        '/x/sub/b.txt',
      ])
    }
  })

  it.each(['out', 'out/index.json', '.git', '.ocibuild'])('refuses %s, named outright', async (copy) => {
    const root = makeFolder({ '.git/config': 'c', 'out/index.json': '{}', '.ocibuild/a': '' })
    const context = planContext(root, { excludedPaths: [join(root, 'out')] })
    const failure = await failureOf(planEntries([copyEntry(root, copy, '/x')], context))
    expect(failure.code).toBe('OCB-COPY-EXCLUDED')
    expect(failure.message).toContain(`"${copy}"`)
  })

  it('tells each pattern that hid something, and how many names at the top', async () => {
    const root = makeFolder({
      'a.map': '1',
      'deep/b.map': '2',
      'hidden/x/y': '3',
      'hidden/z': '4',
      'c.txt': '5',
      '.ociignore': '# first\nhidden\n\n**/*.map\nnothing\n',
    })
    const { hidden } = await planEntries(
      [copyEntry(root, '.', '/x', { exclude: ['*.txt', '.ociignore'] })],
      planContext(root),
    )
    expect(hidden).toEqual([
      { layer: 'app', rule: 'exclude ".ociignore"', count: 1 },
      { layer: 'app', rule: '.ociignore:4 "**/*.map"', count: 2 },
      { layer: 'app', rule: 'exclude "*.txt"', count: 1 },
      { layer: 'app', rule: '.ociignore:2 "hidden"', count: 1 },
    ])
  })

  it('says what hid everything when nothing is left', async () => {
    const root = makeFolder({ 'dist/a.js': 'a' })
    writeFileSync(join(root, '.ociignore'), 'dist/**\n')
    for (const copy of ['dist', 'dist/*.js']) {
      const failure = await failureOf(copyLines(root, copy, '/x'))
      expect(failure.code).toBe('OCB-COPY-NO-MATCH')
      expect(failure.hint).toContain('.ociignore:1 "dist/**"')
    }
  })
})
