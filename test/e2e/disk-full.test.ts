/** A full disk, under the output and under the cache: said plainly, the earlier image whole, nothing left behind. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { expectWhole, openCrashBench, refsOf, temporariesIn, type CrashBench } from './crash-kit.ts'

const mebibytes = 4

/** Why no small disk can be had here. */
function whyNot(): string | undefined {
  if (process.platform !== 'linux') return 'tmpfs is of Linux'
  if (process.getuid?.() !== 0) return 'mounting needs root'
  // Root of a container may not mount.
  const tried = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt'], {
    encoding: 'utf8',
  })
  if (tried.error !== undefined) return 'unshare is not installed'
  return tried.status === 0 ? undefined : `this root may not mount: ${tried.stderr.trim()}`
}
const reason = whyNot()

describe.skipIf(reason !== undefined)(
  reason === undefined ? 'a full disk' : `a full disk (skipped: ${reason})`,
  () => {
    let bench: CrashBench
    let disk = ''
    let [small, large] = ['', '']

    beforeAll(() => {
      bench = openCrashBench()
      disk = join(bench.folder, 'disk')
      mkdirSync(disk)
      small = bench.project('small', 1, 1)
      large = bench.project('large', 2, 2 * mebibytes)
    })
    beforeEach(() => {
      spawnSync('umount', [disk], { stdio: 'ignore' })
      const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'none', disk])
      if (status !== 0) throw new Error(String(stderr))
    })
    afterAll(() => {
      spawnSync('umount', [disk], { stdio: 'ignore' })
      bench.remove()
    })

    const inDisk = (name: string): string => join(disk, name)
    const run = async (project: string, cache: string, ...outputs: readonly string[]) =>
      await bench.cli.run(['--cache-dir', cache, ...outputs.flatMap((output) => ['-o', output])], {
        cwd: project,
      })

    it('under the layout', async () => {
      const cache = join(bench.folder, 'cache')
      const output = `oci:${inDisk('layout')}`
      expect((await run(small, cache, output)).status).toBe(0)
      const earlier = refsOf(inDisk('layout'))
      const blobs = readdirSync(inDisk('layout/blobs/sha256')).sort()
      for (const again of [1, 2]) {
        const { status, stderr } = await run(large, cache, output)
        expect(status, stderr).toBe(1)
        expect(stderr).toMatch(/^error OCB-DISK-FULL: no space left for .*\/layout\//m)
        expect(stderr).toMatch(/^hint: free some space/m)
        expect(refsOf(inDisk('layout')), `time ${again}`).toEqual(earlier)
        await expectWhole(inDisk('layout'))
        expect(temporariesIn(disk, cache)).toEqual([])
      }
      expect(readdirSync(inDisk('layout/blobs/sha256'))).toEqual(expect.arrayContaining(blobs))
      expect((await run(small, cache, output)).status).toBe(0)
    })

    it('under an archive', async () => {
      const cache = join(bench.folder, 'cache')
      const output = `docker-archive:${inDisk('image.tar')}`
      expect((await run(small, cache, output)).status).toBe(0)
      const earlier = readFileSync(inDisk('image.tar'))
      const { status, stderr } = await run(large, cache, output)
      expect(status, stderr).toBe(1)
      expect(stderr).toMatch(/^error OCB-DISK-FULL: no space left for .*\/image\.tar/m)
      expect(readFileSync(inDisk('image.tar')).equals(earlier)).toBe(true)
      expect(readdirSync(disk)).toEqual(['image.tar'])
    })

    it.each([[[]], [['--no-cache']]])('under the cache %j', async (flags) => {
      const output = `oci:${join(bench.folder, `layout-${flags.length}`)}`
      const cache = inDisk('cache')
      expect((await run(small, cache, output)).status).toBe(0)
      const earlier = refsOf(output.slice('oci:'.length))
      const words = ['--cache-dir', cache, '-o', output, ...flags]
      const { status, stderr } = await bench.cli.run(words, { cwd: large })
      expect(status, stderr).toBe(1)
      expect(stderr).toMatch(/^error OCB-DISK-FULL: no space left for .*\/cache\//m)
      expect(refsOf(output.slice('oci:'.length))).toEqual(earlier)
      await expectWhole(output.slice('oci:'.length))
      expect(temporariesIn(disk)).toEqual([])
      expect((await run(small, cache, output)).status).toBe(0)
    })

    it('under a cache that has no room for anything', async () => {
      spawnSync('dd', ['if=/dev/zero', `of=${inDisk('filler')}`], { stdio: 'ignore' })
      const { status, stderr } = await run(small, inDisk('cache'), `oci:${join(bench.folder, 'never')}`)
      expect(status, stderr).toBe(1)
      expect(stderr).toMatch(/^error OCB-DISK-FULL: /m)
      expect(temporariesIn(disk)).toEqual([])
    })
  },
)
