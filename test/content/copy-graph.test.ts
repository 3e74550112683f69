/** The one verb that delivers. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { copyGraph } from '../../src/content/copy-graph.ts'
import { createMemoryStore, type MemoryStore } from '../../src/content/memory-store.ts'
import { readDocument } from '../../src/content/read-document.ts'
import type { ContentStore } from '../../src/content/store.ts'
import { successors } from '../../src/content/successors.ts'
import { unionStore } from '../../src/content/union-store.ts'
import { openLayout } from '../../src/layout/layout-store.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { encodeJson } from '../../src/spec/json.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import { bytesOf, describeBytes, putImage, putIndex } from '../helpers/images.ts'

/** A memory store that writes down what is asked of it. */
function spied(): MemoryStore & { readonly pushed: string[] } {
  const store = createMemoryStore()
  const pushed: string[] = []
  return {
    ...store,
    pushed,
    async push(expected, content, options) {
      await store.push(expected, content, options)
      pushed.push(expected.digest)
    },
  }
}

async function multiPlatform(source: ContentStore): Promise<{ index: Descriptor; order: string[] }> {
  const amd = await putImage(source, [{ shared: '1' }, { arch: 'amd64' }], 'amd64')
  const arm = await putImage(source, [{ shared: '1' }, { arch: 'arm64' }], 'arm64')
  const index = await putIndex(source, [amd.manifest, arm.manifest])
  const order = [
    amd.config,
    ...amd.layers,
    arm.config,
    arm.layers[1] ?? arm.config,
    amd.manifest,
    arm.manifest,
    index,
  ]
  return { index, order: order.map(({ digest }) => digest) }
}

describe('copyGraph', () => {
  it('copies leaves first, documents after what they name, each digest once, always in one order', async () => {
    const source = createMemoryStore()
    const { index, order } = await multiPlatform(source)
    const target = spied()
    const seen: string[] = []
    await copyGraph(source, index, target, {
      concurrency: 1,
      onBlob: ({ digest }, outcome) => seen.push(`${outcome} ${digest}`),
    })
    expect(target.pushed).toEqual(order)
    expect(seen).toEqual(order.map((digest) => `copied ${digest}`))
  })

  it('sends nothing that is there, and looks below what is there only when told to', async () => {
    const source = createMemoryStore()
    const { index } = await multiPlatform(source)
    const target = spied()
    await copyGraph(source, index, target)
    target.pushed.length = 0
    const outcomes: string[] = []
    const onBlob = (_: Descriptor, outcome: string): number => outcomes.push(outcome)
    await copyGraph(source, index, target, { onBlob })
    expect(outcomes).toEqual(['present'])
    await copyGraph(source, index, target, { onBlob, deep: true })
    expect(outcomes.length).toBe(1 + 8)
    expect(target.pushed).toEqual([])
  })

  it('never names a document before its children are stored, however many are copied at once', async () => {
    const source = createMemoryStore()
    const { index } = await multiPlatform(source)
    for (const concurrency of [1, 2, 3, 16]) {
      const target = spied()
      const slow: ContentStore = {
        ...target,
        async push(expected, content, options) {
          for (const child of await successors(source, expected))
            expect(target.pushed).toContain(child.digest)
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
          await target.push(expected, content, options)
        },
      }
      await copyGraph(source, index, slow, { concurrency })
      expect(target.pushed.length).toBe(8)
    }
  })

  it('leaves nothing running when one blob fails, and throws the first error', async () => {
    const source = createMemoryStore()
    const { index, order } = await multiPlatform(source)
    let running = 0
    const target = spied()
    const failing: ContentStore = {
      ...target,
      async push(expected, content, options) {
        running += 1
        try {
          await new Promise((resolve) => setTimeout(resolve, 5))
          if (expected.digest === order[1]) throw new Error('the cable was pulled')
          await target.push(expected, content, options)
        } finally {
          running -= 1
        }
      },
    }
    await expect(copyGraph(source, index, failing)).rejects.toThrow('the cable was pulled')
    expect(running).toBe(0)
    expect(target.pushed.length).toBeLessThanOrEqual(2)
  })

  it('stops when it is told to', async () => {
    const source = createMemoryStore()
    const { index } = await multiPlatform(source)
    await expect(
      copyGraph(source, index, createMemoryStore(), { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'OCB-INTERRUPTED' })
  })

  it('leaves non-distributable layers where they are, and follows no subject', async () => {
    const source = createMemoryStore()
    const image = await putImage(source, [{ a: '1' }])
    const foreign = {
      ...describeBytes(mediaTypes.nondistributableLayerGzip, 'foreign'),
      urls: ['https://x.example'],
    }
    const bytes = encodeJson({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: image.config,
      layers: [foreign, ...image.layers],
      subject: describeBytes(mediaTypes.manifest, 'elsewhere'),
    })
    const manifest = describeBytes(mediaTypes.manifest, bytes)
    await source.push(manifest, bytesOf(bytes))
    const target = spied()
    await copyGraph(source, manifest, target)
    expect(target.pushed.length).toBe(3)
  })

  it('goes through files from layout to layout, and through a union', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'ocibuild-copy-'))
    try {
      const from = await openLayout(join(dir, 'from'), { create: true })
      const to = await openLayout(join(dir, 'to'), { create: true })
      const { index } = await multiPlatform(from)
      const files: string[] = []
      const watched = { ...to, pushFile: to.pushFile, push: async () => expect.unreachable('streamed') }
      await copyGraph(unionStore(createMemoryStore(), from), index, {
        ...watched,
        pushFile: async (expected, file, options) => {
          files.push(file.path)
          await to.pushFile(expected, file, options)
        },
      } as typeof to)
      expect(files.length).toBe(8)
      expect(await to.has(index)).toBe(true)
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})

describe('readDocument', () => {
  it('does not begin with what is too large', async () => {
    const large = { ...describeBytes('x/y', 'x'), size: 4 * 1024 * 1024 + 1 }
    await expect(readDocument(createMemoryStore(), large)).rejects.toMatchObject({
      code: 'OCB-DOCUMENT-TOO-LARGE',
    })
  })

  it('checks what a careless store gives', async () => {
    const wanted = describeBytes('x/y', 'hello')
    for (const given of ['hell', 'hallo', 'hello, and far more than was promised']) {
      const careless = { fetch: async () => bytesOf(given) }
      await expect(readDocument(careless, wanted)).rejects.toMatchObject({ code: 'OCB-CONTENT-MISMATCH' })
    }
  })
})

describe('unionStore', () => {
  it('throws at once what is no "not found"', async () => {
    const wanted = describeBytes('x/y', 'hello')
    const broken = { fetch: async () => Promise.reject(new Error('damaged')) }
    const good = createMemoryStore()
    await good.push(wanted, bytesOf('hello'))
    await expect(unionStore(broken, good).fetch(wanted)).rejects.toThrow('damaged')
    await expect(unionStore(createMemoryStore()).fetch(wanted)).rejects.toMatchObject({
      code: 'OCB-CONTENT-NOT-FOUND',
    })
    expect(await unionStore(createMemoryStore(), good).fileOf(wanted)).toBeUndefined()
  })
})
