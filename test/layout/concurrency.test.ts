/** Several processes and one layout; processes that die; disks that are full. */

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { copyGraph } from '../../src/content/copy-graph.ts'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { withLayoutLock } from '../../src/layout/layout-lock.ts'
import { openLayout } from '../../src/layout/layout-store.ts'
import { bytesOf, describeBytes, putImage } from '../helpers/images.ts'
import { exitOf, startScript } from '../helpers/ts-child.ts'

const script = fileURLToPath(new URL('scripts/tag-many.ts', import.meta.url))
let dir: string

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocibuild-concurrency-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const hidden = (): string[] => readdirSync(join(dir, 'image')).filter((name) => name.startsWith('.'))

async function expectAllWhole(): Promise<number> {
  const store = await openLayout(join(dir, 'image'))
  const entries = await store.list()
  for (const entry of entries) await copyGraph(store, entry, createMemoryStore())
  return entries.length
}

describe('a layout that several use at once', () => {
  it('keeps the tags of two processes that tag at the same time', async () => {
    const children = ['a', 'b'].map((name) => startScript(script, [join(dir, 'image'), name, '20']))
    expect(await Promise.all(children.map(exitOf))).toEqual([0, 0])
    expect(await expectAllWhole()).toBe(42)
    expect(hidden()).toEqual([])
  })

  it('is whole after a process was killed, and tidy after the next', async () => {
    for (const delayMs of [15, 40]) {
      const child = startScript(script, [join(dir, 'image'), 'a', '100000'])
      if (child.stdout) await once(child.stdout, 'data')
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      child.kill('SIGKILL')
      expect(await exitOf(child)).toBe('SIGKILL')
      if (existsSync(join(dir, 'image/oci-layout'))) await expectAllWhole()
    }
    expect(await exitOf(startScript(script, [join(dir, 'image'), 'b', '1']))).toBe(0)
    expect(hidden()).toEqual([])
    await expectAllWhole()
  })

  it('breaks the lock of a process that is gone', async () => {
    const store = await openLayout(join(dir, 'image'), { create: true })
    writeFileSync(join(dir, 'image/.ocibuild-lock'), `999999999 ${hostname()} gone\n`)
    const image = await putImage(store, [{ a: '1' }])
    await store.tag(image.manifest, '1')
    expect(hidden()).toEqual([])
  })

  it('waits for one that lives, and stops waiting when told to', async () => {
    const order: string[] = []
    const { promise: held, resolve: release } = newPromise()
    const first = withLayoutLock(dir, undefined, async () => {
      order.push('first')
      await held
      order.push('first ends')
    })
    const second = withLayoutLock(dir, undefined, () => void order.push('second'))
    await expect(withLayoutLock(dir, AbortSignal.timeout(60), () => undefined)).rejects.toMatchObject({
      code: 'OCB-INTERRUPTED',
    })
    release()
    await Promise.all([first, second])
    expect(order).toEqual(['first', 'first ends', 'second'])
  })
})

describe('a full disk', () => {
  const mounted = (): boolean => {
    try {
      mkdirSync(join(dir, 'small'))
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', join(dir, 'small')], {
        stdio: 'ignore',
      })
      return true
    } catch {
      return false
    }
  }

  it('leaves the image before whole and no temporary file', async (context) => {
    if (!mounted()) return context.skip('mounting a small file system is not allowed here')
    try {
      const store = await openLayout(join(dir, 'small/image'), { create: true })
      const image = await putImage(store, [{ a: '1' }])
      await store.tag(image.manifest, '1')
      const large = Buffer.alloc(1024 * 1024, 'x')
      const descriptor = describeBytes('application/octet-stream', large)
      await expect(store.push(descriptor, bytesOf(large))).rejects.toMatchObject({ code: 'OCB-DISK-FULL' })
      writeFileSync(join(dir, 'large'), large)
      const file = { path: join(dir, 'large'), checked: true }
      await expect(store.pushFile(descriptor, file)).rejects.toMatchObject({ code: 'OCB-DISK-FULL' })
      expect(readdirSync(join(dir, 'small/image')).filter((name) => name.startsWith('.'))).toEqual([])
      await copyGraph(store, await store.resolve('1'), createMemoryStore())
    } finally {
      execFileSync('umount', [join(dir, 'small')])
    }
  })
})

function newPromise(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
