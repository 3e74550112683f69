import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createLowerStack, type LowerStack } from '../../src/layer/lower-stack.ts'
import { normalizeLayer } from '../../src/layer/normalize.ts'
import type { Placement } from '../../src/plan/placement.ts'
import { hostFileSource } from '../../src/plan/host-file.ts'
import { openRootfs } from '../../src/rootfs/open-rootfs.ts'
import { tarOf } from '../helpers/images.ts'
import { layerStore } from '../helpers/layer-store.ts'
import {
  append,
  describeEntry,
  directory,
  file,
  folder,
  hardlink,
  layerOf,
  opaque,
  remove,
} from '../helpers/layers.ts'
import { temporaryFolder } from '../helpers/unpack.ts'

const cacheDir = temporaryFolder()
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }))

const baseFiles = { 'etc/passwd': 'root:x:0:0::/:\n', 'opt/tool/a': 'a', 'opt/tool/b': 'b' }

function stackOn(files: Readonly<Record<string, string>> = baseFiles): {
  stack: LowerStack
  opened: () => number
} {
  let opened = 0
  const { store, layers } = layerStore([tarOf(files)])
  const open = (): ReturnType<typeof openRootfs> => {
    opened += 1
    return openRootfs(store, layers, { cacheDir })
  }
  return { stack: createLowerStack(open, cacheDir), opened: () => opened }
}

/** Makes one layer after another, each over the ones before; the entries of the last. */
async function lastOf(stack: LowerStack, ...layers: readonly (readonly Placement[])[]): Promise<string[]> {
  let last: string[] = []
  for (const placements of layers) {
    const changeset = await normalizeLayer(layerOf(placements), stack.opener())
    stack.push({ changeset: async () => changeset })
    last = changeset.entries.map(describeEntry)
  }
  return last
}

describe('a layer over others', () => {
  it('sees the directories of the layers before it', async () => {
    const entries = await lastOf(
      stackOn().stack,
      [folder('/app', { mode: 0o700, owner: '1:1' })],
      [file('/app/x', 'x')],
    )
    expect(entries).toEqual(['d /app 0700 1:1', 'f /app/x 0644 0:0 x'])
  })

  it('appends to a file of the base, of the layer before, and to what that appended', async () => {
    const { stack } = stackOn()
    const entries = await lastOf(
      stack,
      [append('/etc/passwd', 'one\n'), file('/own', 'own', { owner: '3:4', mode: 0o600 })],
      [append('/etc/passwd', 'two\n'), append('/own', '+')],
    )
    expect(entries).toContain('f /etc/passwd 0644 0:0 root:x:0:0::/:\none\ntwo\n')
    expect(entries).toContain('f /own 0600 3:4 own+')
  })

  it('appends to a hard link and to a host file of the layer before', async () => {
    const path = join(cacheDir, 'host-file')
    mkdirSync(cacheDir, { recursive: true })
    writeFileSync(path, 'host')
    const { stack } = stackOn()
    const entries = await lastOf(
      stack,
      [file('/a', '', { source: hostFileSource(path) }), hardlink('/b', '/a')],
      [append('/b', '+')],
    )
    expect(entries).toEqual(['f /b 0644 0:0 host+'])
  })

  it('finds owners in a passwd that the layer before has changed', async () => {
    const entries = await lastOf(
      stackOn().stack,
      [append('/etc/passwd', 'app:x:1000:1001::/:\n')],
      [file('/a', 'x', { owner: 'app' })],
    )
    expect(entries).toEqual(['f /a 0644 1000:1001 x'])
  })

  it('no longer sees what the layer before removed or hid', async () => {
    const { stack } = stackOn()
    await lastOf(stack, [remove('/opt/tool/a')], [opaque('/etc')])
    await expect(lastOf(stack, [remove('/opt/tool/a')])).rejects.toMatchObject({ code: 'OCB-REMOVE-MISSING' })
    await expect(lastOf(stack, [append('/etc/passwd', '')])).rejects.toMatchObject({
      code: 'OCB-APPEND-MISSING',
    })
    expect(await lastOf(stack, [remove('/opt/tool/b')])).toEqual([
      'd /opt 0755 0:0',
      'd /opt/tool 0755 0:0',
      'w /opt/tool/b',
    ])
  })

  it('can remove what the layer before has added', async () => {
    expect(await lastOf(stackOn().stack, [file('/new')], [remove('/new')])).toEqual(['w /new'])
  })

  it('opens the base only when it must, and once', async () => {
    const { stack, opened } = stackOn()
    await lastOf(stack, [directory('/app'), file('/app/x')], [file('/y')])
    expect(opened()).toBe(0)
    await lastOf(stack, [file('/app/z/1')], [remove('/y')])
    expect(opened()).toBe(1)
  })

  it('refuses to append to a file of the layer before that is too large to hold', async () => {
    const large = { kind: 'host', path: '/nowhere', size: 2 ** 40, mtimeMs: 0, ctimeMs: 0, ino: 0 } as const
    await expect(
      lastOf(stackOn().stack, [file('/a', '', { source: large })], [append('/a', 'x')]),
    ).rejects.toMatchObject({ code: 'OCB-FILE-TOO-LARGE' })
  })
})
