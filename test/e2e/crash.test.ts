/** Whatever ends a build, and when: the earlier image stays whole, and a later build leaves nothing of it behind. */

import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryPath } from '../../src/content/atomic-file.ts'
import { createRandom } from '../helpers/fixture-tree.ts'
import { expectWhole, openCrashBench, refsOf, temporariesIn, type CrashBench } from './crash-kit.ts'

let bench: CrashBench
let earlier = ''
let later = ''
/** How long an undisturbed build takes here and now. */
let buildMs = 0
/** A layout and a cache with the earlier image, and what a later build must make of them. */
let before = ''
let digests: { readonly earlier: string; readonly later: string }

beforeAll(async () => {
  bench = openCrashBench()
  earlier = bench.project('earlier', 1, 2)
  later = bench.project('later', 2, 6)
  before = join(bench.folder, 'before')
  await buildInto(before, earlier)
  const first = refsOf(join(before, 'layout'))['latest'] ?? ''
  const trial = startOver('trial')
  const startedMs = performance.now()
  await buildInto(trial, later)
  buildMs = performance.now() - startedMs
  digests = { earlier: first, later: refsOf(join(trial, 'layout'))['latest'] ?? '' }
  expect(digests.earlier).not.toBe(digests.later)
})
afterAll(() => bench.remove())

function words(place: string): readonly string[] {
  const outputs = ['-o', `oci:${join(place, 'layout')}`, '-o', `oci-archive:${join(place, 'image.tar')}`]
  return ['--progress', 'plain', '--cache-dir', join(place, 'cache'), ...outputs]
}

async function buildInto(place: string, project: string): Promise<void> {
  await bench.cli.must(words(place), { cwd: project })
}

/** A place of its own with the earlier image in it, and in the cache what was remembered of it. */
function startOver(name: string): string {
  const place = join(bench.folder, name)
  rmSync(place, { recursive: true, force: true })
  cpSync(before, place, { recursive: true })
  return place
}

const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000)
const random = createRandom(seed)

describe(`a build that is ended at any moment (CRASH_SEED=${seed})`, () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('by %s', { timeout: 180_000 }, async (signal) => {
    const place = startOver(signal)
    const layout = join(place, 'layout')
    const ends = new Map<string, number>()
    for (let round = 0; round < 15; round += 1) {
      const delayMs = (random.below(1000) / 1000) * buildMs * 1.05
      const { child, outcome } = bench.cli.start(words(place), { cwd: later })
      await sleep(delayMs)
      child.kill(signal)
      const { status, signal: endedBy, stderr } = await outcome
      const end = `${status ?? endedBy}`
      ends.set(end, (ends.get(end) ?? 0) + 1)

      const told = `round ${round}, after ${Math.round(delayMs)} of ${Math.round(buildMs)} ms: ${end}\n${stderr}`
      const found = refsOf(layout)['latest']
      expect(found, told).toBe(status === 0 ? digests.later : found)
      expect([digests.earlier, digests.later], told).toContain(found)
      await expectWhole(layout)
      if (signal === 'SIGKILL') {
        expect(['0', 'SIGKILL'], told).toContain(end)
      } else {
        // Before a handler can be there, a signal does what signals do.
        if (endedBy !== null) expect(stderr, told).toBe('')
        else expect([0, 130], told).toContain(status)
        expect(temporariesIn(layout, place), told).toEqual([])
      }
      // Else every later round would find all that it needs in the cache.
      if (round % 3 === 2 || found === digests.later) startOver(signal)
    }
    expect(ends.get(signal === 'SIGKILL' ? 'SIGKILL' : '130'), JSON.stringify([...ends])).toBeGreaterThan(0)

    await buildInto(place, later)
    expect(refsOf(layout)).toEqual({ latest: digests.later })
    await expectWhole(layout)
    expect(temporariesIn(place)).toEqual([])
    await bench.cli.must(['validate', `oci-archive:${join(place, 'image.tar')}`], { cwd: place })
  })

  it('leaves nothing after it, with no cache to keep either', async () => {
    const place = startOver('uncached')
    for (const part of [0.3, 0.6, 0.9]) {
      const { child, outcome } = bench.cli.start([...words(place), '--no-cache'], { cwd: later })
      await sleep(buildMs * part)
      child.kill('SIGKILL')
      await outcome
      await expectWhole(join(place, 'layout'))
    }
    await buildInto(place, later)
    expect(temporariesIn(place)).toEqual([])
    expect(existsSync(join(place, 'cache', 'tmp'))).toBe(true)
  })
})

describe('what a killed build left', () => {
  it('is cleaned up by the next one, wherever it lies', async () => {
    const place = startOver('left')
    const kinds = ['content', 'layers', 'files', 'names', 'packages', 'facts', 'tmp']
    const cacheFolders = kinds.map((kind) => `cache/${kind}`)
    const folders = ['.', 'layout', ...cacheFolders]
    for (const folder of cacheFolders) mkdirSync(join(place, folder), { recursive: true })
    const { child, outcome } = bench.cli.start(['--version'], { cwd: place })
    await outcome
    const left = folders.map((folder) =>
      temporaryPath(join(place, folder)).replace(`-${process.pid}-`, `-${child.pid}-`),
    )
    for (const path of left) writeFileSync(path, 'half of it')
    // One that lives keeps what it is at work on.
    const alive = temporaryPath(join(place, 'cache/tmp'))
    writeFileSync(alive, 'half of it')
    await buildInto(place, later)
    expect(temporariesIn(place)).toEqual([alive])
  })
})

describe('builds at once', () => {
  it('into one layout, with one cache: every image is there, and all are whole', async () => {
    const place = join(bench.folder, 'shared')
    mkdirSync(place)
    const projects = [earlier, later, bench.project('third', 3, 3)]
    for (const round of [1, 2]) {
      await Promise.all(
        projects.flatMap((project, i) => [
          bench.cli.must([...words(place).slice(0, 4), '-o', `oci:${place}/layout`, '-t', `r${i}`], {
            cwd: project,
          }),
          bench.cli.must([...words(place).slice(0, 4), '-o', `oci:${place}/layout`, '-t', `s${i}`], {
            cwd: project,
          }),
        ]),
      )
      const refs = refsOf(join(place, 'layout'))
      expect(Object.keys(refs).sort(), `round ${round}`).toEqual(['r0', 'r1', 'r2', 's0', 's1', 's2'])
      for (const i of [0, 1, 2]) expect(refs[`r${i}`]).toBe(refs[`s${i}`])
      expect([refs['r0'], refs['r1']]).toEqual([digests.earlier, digests.later])
      await expectWhole(join(place, 'layout'))
    }
    expect(temporariesIn(place)).toEqual([])
  })

  it('under one name: one of them is there, whole, and nothing is left of the others', async () => {
    const place = join(bench.folder, 'same-name')
    mkdirSync(place)
    await Promise.all([earlier, later, earlier, later].map((project) => buildInto(place, project)))
    expect([digests.earlier, digests.later]).toContain(refsOf(join(place, 'layout'))['latest'])
    await expectWhole(join(place, 'layout'))
    expect(temporariesIn(place)).toEqual([])
    await bench.cli.must(['validate', `oci-archive:${join(place, 'image.tar')}`], { cwd: place })
  })
})
