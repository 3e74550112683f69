/** Modes, times, owners and hard links of what is copied. */

import { execFileSync } from 'node:child_process'
import { chmodSync, linkSync, lutimesSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EntryOf } from '../../src/config/resolved-spec.ts'
import { processEnvironment } from '../../src/environment.ts'
import { executableRule, hasExecutableHeader } from '../../src/plan/executable-bit.ts'
import type { Placement } from '../../src/plan/placement.ts'
import { itWithPeers } from '../helpers/peers.ts'
import { copyEntry, fillFolder, lines, makeFolder, planContext, planEntries } from './plan-helpers.ts'

const windows = { ...processEnvironment(), hostPlatform: 'win32' as const }

/** One line a placement: path, octal mode, time. */
async function facts(root: string, rest: Partial<EntryOf<'copy'>>): Promise<readonly string[]> {
  const { placements } = await planEntries([copyEntry(root, 'd', '/x', rest)], planContext(root))
  return placements.map((placement) => {
    const mode =
      placement.type === 'file' || placement.type === 'directory' ? (placement.mode?.toString(8) ?? '') : ''
    return `${placement.path} ${mode} ${'mtime' in placement ? placement.mtime : ''}`
  })
}

function makeModes(): string {
  const root = makeFolder({
    'd/plain': { text: '', mode: 0o640 },
    'd/group': { text: '', mode: 0o654 },
    'd/run': { text: '', mode: 0o700 },
    'd/setuid': { text: '', mode: 0o4755 },
    'd/sub': null,
    'd/link': { link: 'run' },
  })
  chmodSync(join(root, 'd'), 0o700)
  chmodSync(join(root, 'd/sub'), 0o1777)
  for (const name of ['plain', 'group', 'run', 'setuid', 'sub', ''])
    utimesSync(join(root, 'd', name), 5, 1234.75)
  lutimesSync(join(root, 'd/link'), 5, 99.5)
  return root
}

describe('modes and times', () => {
  it('are 0644, 0755 where the owner may execute, folders as what lies below has them; times from the content, else the epoch', async () => {
    expect(await facts(makeModes(), {})).toEqual([
      '/x  0',
      '/x/group 644 content',
      '/x/link  0',
      '/x/plain 644 content',
      '/x/run 755 content',
      '/x/setuid 755 content',
      '/x/sub  0',
    ])
  })

  it('mode speaks for files, dirMode for folders, an epoch for all', async () => {
    const seen = await facts(makeModes(), { mode: 0o400, dirMode: 0o711, mtime: 'epoch' })
    expect(seen).toContain('/x/run 400 0')
    expect(seen).toContain('/x/sub 711 0')
  })

  it('preserve keeps what the host has, in whole seconds', async () => {
    expect(await facts(makeModes(), { mode: 'preserve', mtime: 'preserve' })).toEqual([
      '/x 700 1234',
      '/x/group 654 1234',
      '/x/link  99',
      '/x/plain 640 1234',
      '/x/run 700 1234',
      '/x/setuid 4755 1234',
      '/x/sub 1777 1234',
    ])
  })

  it('a number holds for all, and dirMode wins over preserve', async () => {
    const seen = await facts(makeModes(), { mode: 'preserve', dirMode: 0o750, mtime: 77 })
    expect(seen).toContain('/x/setuid 4755 77')
    expect(seen).toContain('/x/sub 750 77')
    expect(seen).toContain('/x/link  77')
  })

  it('the owner is on all that is placed, the source tells what lstat saw', async () => {
    const root = makeFolder({ 'd/a': 'abc' })
    const { placements } = await planEntries(
      [copyEntry(root, 'd', '/x', { owner: 'node:node' })],
      planContext(root),
    )
    expect(placements.map((placement) => 'owner' in placement && placement.owner)).toEqual([
      'node:node',
      'node:node',
    ])
    expect(placements[1]).toMatchObject({ source: { kind: 'host', path: join(root, 'd/a'), size: 3 } })
  })
})

describe('hard links of the host', () => {
  const plan = async (hardLinks: 'copy' | 'preserve'): Promise<readonly Placement[]> => {
    const root = makeFolder({ 'd/b/first': 'x', 'd/single': 'y' })
    linkSync(join(root, 'd/b/first'), join(root, 'd/a-link'))
    linkSync(join(root, 'd/b/first'), join(root, 'd/z-link'))
    const { placements } = await planEntries([copyEntry(root, 'd', '/x', { hardLinks })], planContext(root))
    return placements
  }

  it('become files of their own', async () => {
    expect(lines(await plan('copy'))).toEqual([
      '/x/',
      '/x/a-link',
      '/x/b/',
      '/x/b/first',
      '/x/single',
      '/x/z-link',
    ])
  })

  it('stay hard links to the first in order when preserved', async () => {
    expect(lines(await plan('preserve'))).toEqual([
      '/x/',
      '/x/a-link',
      '/x/b/',
      '/x/b/first => /x/a-link',
      '/x/single',
      '/x/z-link => /x/a-link',
    ])
  })
})

describe('the executable bit on Windows', () => {
  const files = {
    'script.sh': '#!/bin/sh\n',
    'text.txt': 'hello',
    'tracked-plain.sh': '#!/bin/sh\n',
    'tracked-run.txt': 'hello',
    elf: '\x7fELF....',
    Main_class: '',
  }

  it('is what the first bytes say where git says nothing', async () => {
    const root = makeFolder(files)
    const rule = executableRule(root, windows)
    expect(rule(join(root, 'script.sh'), 0o666)).toBe(true)
    expect(rule(join(root, 'elf'), 0o666)).toBe(true)
    expect(rule(join(root, 'text.txt'), 0o777)).toBe(false)
    expect(rule(join(root, 'Main_class'), 0o777)).toBe(false)
  })

  itWithPeers('is what the index of git says for a tracked file', ['git'], async () => {
    const root = makeFolder(files)
    const git = (...parameters: string[]): void =>
      void execFileSync('git', parameters, { cwd: root, stdio: 'ignore' })
    git('init')
    git('add', 'tracked-plain.sh', 'tracked-run.txt')
    git('update-index', '--chmod=+x', 'tracked-run.txt')
    const rule = executableRule(root, windows)
    expect(rule(join(root, 'tracked-plain.sh'), 0o777)).toBe(false)
    expect(rule(join(root, 'tracked-run.txt'), 0o666)).toBe(true)
    expect(rule(join(root, 'script.sh'), 0o666)).toBe(true)
  })

  it('reaches the placements, and link targets get slashes', async () => {
    const root = makeFolder()
    fillFolder(root, { 'd/run': '#!/usr/bin/env node', 'd/link': { link: 'a\\b' } })
    const { placements } = await planEntries(
      [copyEntry(root, 'd', '/x', { mode: 'preserve' })],
      planContext(root, { environment: windows }),
    )
    expect(placements).toMatchObject([{ mode: undefined }, { target: 'a/b' }, { mode: 0o755 }])
  })

  it('tells a fat Mach-O from a Java class', () => {
    const root = makeFolder()
    const write = (name: string, bytes: readonly number[]): string => {
      const path = join(root, name)
      writeFileSync(path, Buffer.from(bytes))
      return path
    }
    expect(hasExecutableHeader(write('fat', [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 2]))).toBe(true)
    expect(hasExecutableHeader(write('class', [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52]))).toBe(false)
  })
})
