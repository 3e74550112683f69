/** The helpers that other tests rely on, on an image made by hand. */

import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { gzipLayer, makeImage, rawTar } from './hand-made-image.ts'
import { cannotRun, runWithRunc } from './run-image.ts'
import { applyLayersWithTar, temporaryFolder, umociUnpack } from './unpack.ts'
import { writeLayout } from './write-layout.ts'

// Static, so that it needs nothing else of the image.
const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path))
const reason = cannotRun() ?? (busybox === undefined ? 'busybox-static is not installed' : undefined)

describe.skipIf(reason !== undefined)(`running an image${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let folder = ''
  let layout = ''
  beforeAll(async () => {
    folder = temporaryFolder()
    const lower = gzipLayer(
      rawTar([
        { name: 'bin/', mode: 0o755 },
        { name: 'bin/busybox', mode: 0o755, content: readFileSync(busybox ?? '') },
        { name: 'bin/sh', flag: '2', target: 'busybox' },
        { name: 'etc/', mode: 0o755 },
        { name: 'etc/gone', content: 'x' },
        { name: 'var/', mode: 0o755 },
        { name: 'var/old', content: 'x' },
      ]),
    )
    const upper = gzipLayer(
      rawTar([
        { name: 'etc/', mode: 0o705, uid: 7, gid: 8 },
        { name: 'etc/.wh.gone' },
        { name: 'etc/motd', content: 'hello\n' },
        { name: 'var/', mode: 0o755 },
        { name: 'var/.wh..wh..opq' },
        { name: 'var/new', content: 'y' },
      ]),
    )
    const image = await makeImage([lower, upper], {
      config: (config) => ({
        ...config,
        config: {
          Env: ['PATH=/bin', 'WHO=world'],
          Cmd: ['/bin/sh', '-c', 'cat /etc/motd; echo $WHO >&2; exit 3'],
        },
      }),
    })
    layout = await writeLayout(join(folder, 'layout'), image, 'latest')
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('gives what it printed and its status', async () => {
    expect(await runWithRunc(layout, 'latest')).toEqual({ stdout: 'hello\n', stderr: 'world\n', status: 3 })
  })

  it('takes other words and variables, and no input', async () => {
    const args = ['/bin/sh', '-c', 'echo "$WHO $X"; cat']
    const result = await runWithRunc(layout, 'latest', { args, env: ['X=1'] })
    expect(result).toEqual({ stdout: 'world 1\n', stderr: '', status: 0 })
  })

  it('ends a container that does not end', async () => {
    const args = ['/bin/busybox', 'sleep', '60']
    await expect(runWithRunc(layout, 'latest', { args, timeoutMs: 1500 })).rejects.toThrow(
      /was ended by|ended/,
    )
  })

  it.each([
    ['umoci', () => umociUnpack(layout, 'latest', join(folder, 'bundle'))],
    ['GNU tar', () => applyLayersWithTar(layout, 'latest', join(folder, 'tar'))],
  ])('unpacks with %s, whiteouts applied', (_tool, unpack) => {
    const rootfs = unpack()
    expect(readdirSync(join(rootfs, 'etc'))).toEqual(['motd'])
    expect(readdirSync(join(rootfs, 'var'))).toEqual(['new'])
    const { mode, uid, gid } = statSync(join(rootfs, 'etc'))
    expect([mode & 0o7777, uid, gid]).toEqual([0o705, 7, 8])
  })
})
