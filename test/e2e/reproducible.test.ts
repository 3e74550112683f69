/** The same input gives the same digest (contract, section 5): one project, built under every circumstance named there. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, realpathSync, renameSync, symlinkSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { shuffleTimes } from '../helpers/fixture-tree.ts'
import { nodeRelease } from '../helpers/node-releases.ts'
import { skipOrFail } from '../helpers/peers.ts'
import { openWorkbench, type Workbench } from './reproducible-kit.ts'

let bench: Workbench
/** The project and its digests as a quiet machine gives them. */
let project = ''
let expected = ''
/** Filled by the first build. */
let cacheDir = ''

beforeAll(async () => {
  bench = openWorkbench()
  project = bench.project()
  cacheDir = join(bench.folder, 'cache-of-first')
  expected = await bench.digests(project, { cacheDir })
})
afterAll(() => bench.remove())

describe('a build gives one digest', () => {
  it('that is of something', () => {
    expect(expected.split('\n')).toHaveLength(1 + 2 * (2 + 6))
  })

  it('and another one for other bytes, modes or links', async () => {
    const changed = await bench.digests(bench.project({ seed: 2 }))
    const [lines, others] = [expected.split('\n'), changed.split('\n')]
    const same = lines.filter((line, i) => line === others[i]).map((line) => line.split(' ')[0])
    expect(new Set(same)).toEqual(new Set(['plain', '/etc/passwd']))
  })

  it.each([1, 2, 3])('in any order of directories (shuffle %i)', async (seed) => {
    const report = join(bench.folder, `shuffled-${seed}`)
    const preload = join(import.meta.dirname, 'preload', 'shuffle-directories.mjs')
    const env = { SHUFFLE_SEED: String(seed), SHUFFLE_REPORT: report }
    expect(await bench.digests(project, { nodeFlags: ['--import', preload], env })).toBe(expected)
    expect(Number(readFileSync(report, 'utf8'))).toBeGreaterThan(50)
  })

  it('whatever times the files have', async () => {
    const copy = bench.project()
    shuffleTimes(copy)
    expect(await bench.digests(copy)).toBe(expected)
  })

  it.each(['077', '022', '002', '000'])('under umask %s, of files and of the build', async (umask) => {
    const before = process.umask(umask)
    try {
      expect(await bench.digests(bench.project())).toBe(expected)
    } finally {
      process.umask(before)
    }
  })

  it('from files that are hard links of each other, and from copies', async () => {
    expect(await bench.digests(bench.project({ hardLinks: 'copied' }))).toBe(expected)
  })

  it('in another folder, also one that is reached through a link', async () => {
    const elsewhere = bench.project({ below: 'other/ünusual (place)/x' })
    expect(await bench.digests(elsewhere)).toBe(expected)
    const link = join(bench.folder, 'link')
    symlinkSync(elsewhere, link)
    expect(await bench.digests(link)).toBe(expected)
    expect(realpathSync(link)).toBe(realpathSync(elsewhere))
  })

  it.each([
    [{ TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' }],
    [{ TZ: 'America/St_Johns', LANG: 'C', LC_ALL: 'POSIX' }],
    [{ TZ: ':nowhere', LANG: 'sv_SE.UTF-8', LC_COLLATE: 'sv_SE.UTF-8', LANGUAGE: 'sv' }],
    [{ UV_THREADPOOL_SIZE: '1' }],
    [{ UV_THREADPOOL_SIZE: '8' }],
    [{ HOME: '/nonexistent', TMPDIR: '/tmp', USER: 'someone', CI: 'true', NO_COLOR: '1' }],
  ])('with the variables %j', async (env) => {
    expect(await bench.digests(project, { env })).toBe(expected)
  })

  const noTaskset = spawnSync('taskset', ['--version']).error !== undefined
  it.skipIf(noTaskset)(
    `on one core of ${availableParallelism()}${noTaskset ? ' (skipped: no taskset)' : ''}`,
    async () => {
      expect(await bench.digests(project, { wrapper: ['taskset', '-c', '0'] })).toBe(expected)
    },
  )

  it('with the cache warm, cold, half gone and off', async () => {
    expect(await bench.digests(project, { cacheDir })).toBe(expected)
    expect(await bench.digests(bench.project(), { cacheDir })).toBe(expected)
    renameSync(join(cacheDir, 'layers'), join(bench.folder, 'layers-aside'))
    expect(await bench.digests(project, { cacheDir })).toBe(expected)
    renameSync(join(cacheDir, 'content'), join(bench.folder, 'content-aside'))
    expect(await bench.digests(project, { cacheDir })).toBe(expected)
    expect(await bench.digests(project, { cacheDir, args: ['--no-cache'] })).toBe(expected)
  })

  it('over an image that is there already', async () => {
    const layout = join(bench.folder, 'used')
    mkdirSync(layout)
    await bench.digests(bench.project({ seed: 3 }), { layout })
    expect(await bench.digests(project, { layout })).toBe(expected)
  })
})

describe('every release of Node.js gives that digest', () => {
  it.for([20, 22, 24, 26])('%i', { timeout: 240_000 }, async (major, context) => {
    const release = nodeRelease(major)
    if (release.path === undefined) return skipOrFail(context, release.missing)
    expect(release.version).toMatch(new RegExp(`^${major}\\.`))
    expect(await bench.digests(project, { node: release.path })).toBe(expected)
    // What one release remembers is as good for another.
    expect(await bench.digests(project, { node: release.path, cacheDir })).toBe(expected)
    return undefined
  })
})
