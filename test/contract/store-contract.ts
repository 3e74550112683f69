/** What every store promises at the seam; each store's test runs it over a fresh one. */

import { describe, expect, it } from 'vitest'
import { copyGraph } from '../../src/content/copy-graph.ts'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import type { ByteStream, Ingester, Target } from '../../src/content/store.ts'
import { bytesOf, collectBytes, describeBytes, putImage, putIndex } from '../helpers/images.ts'

export interface StoreUnderTest {
  readonly store: Target & Partial<Ingester>
  /** A name that the store takes. */
  readonly reference: (name: string) => string
  readonly dispose: () => Promise<void> | void
}

export function describeStoreContract(title: string, create: () => Promise<StoreUnderTest>): void {
  const withStore = (body: (under: StoreUnderTest) => Promise<void>) => async (): Promise<void> => {
    const under = await create()
    try {
      await body(under)
    } finally {
      await under.dispose()
    }
  }
  const hello = describeBytes('text/plain', 'hello')

  describe(`${title} keeps the seam's promises`, () => {
    it(
      'gives back what was pushed, in as many chunks as it likes',
      withStore(async ({ store }) => {
        const large = Buffer.alloc(1_500_000, 'abc')
        const descriptor = describeBytes('application/octet-stream', large)
        const inPieces = async function* (): ByteStream {
          for (let at = 0; at < large.length; at += 70_000) yield large.subarray(at, at + 70_000)
        }
        expect(await store.has(descriptor)).toBe(false)
        await store.push(descriptor, inPieces())
        expect(await store.has(descriptor)).toBe(true)
        expect((await collectBytes(await store.fetch(descriptor))).equals(large)).toBe(true)
      }),
    )

    it(
      'stores the empty blob',
      withStore(async ({ store }) => {
        const empty = describeBytes('text/plain', '')
        await store.push(empty, bytesOf(''))
        expect(await store.has(empty)).toBe(true)
        expect((await collectBytes(await store.fetch(empty))).length).toBe(0)
      }),
    )

    it(
      'takes the same content twice, also at once',
      withStore(async ({ store }) => {
        await Promise.all([store.push(hello, bytesOf('hello')), store.push(hello, bytesOf('hello'))])
        await store.push(hello, bytesOf('hello'))
        expect(String(await collectBytes(await store.fetch(hello)))).toBe('hello')
      }),
    )

    it(
      'says that it does not have what it does not have',
      withStore(async ({ store }) => {
        await expect(store.fetch(hello)).rejects.toMatchObject({ code: 'OCB-CONTENT-NOT-FOUND' })
        await expect(store.resolve('nothing')).rejects.toMatchObject({ code: 'OCB-REFERENCE-NOT-FOUND' })
      }),
    )

    it(
      'stores nothing of bytes that are too many, too few, wrong or cut by an error, and can go on',
      withStore(async ({ store }) => {
        for (const wrong of ['hello!', 'hell', 'hallo']) {
          await expect(store.push(hello, bytesOf(wrong))).rejects.toMatchObject({
            code: 'OCB-CONTENT-MISMATCH',
          })
          expect(await store.has(hello)).toBe(false)
        }
        const failing = async function* (): ByteStream {
          yield Buffer.from('he')
          throw new Error('the line is dead')
        }
        await expect(store.push(hello, failing())).rejects.toThrow('the line is dead')
        expect(await store.has(hello)).toBe(false)
        await store.push(hello, bytesOf('hello'))
        expect(String(await collectBytes(await store.fetch(hello)))).toBe('hello')
      }),
    )

    it(
      'stops when it is told to',
      withStore(async ({ store }) => {
        const signal = AbortSignal.abort()
        await expect(store.push(hello, bytesOf('hello'), { signal })).rejects.toMatchObject({
          code: 'OCB-INTERRUPTED',
        })
        expect(await store.has(hello)).toBe(false)
      }),
    )

    it(
      'takes a graph, names it, and finds it by its name',
      withStore(async ({ store, reference }) => {
        const memory = createMemoryStore()
        const image = await putImage(memory, [{ a: '1' }, { b: '2' }])
        const index = await putIndex(memory, [image.manifest])
        const outcomes: string[] = []
        await copyGraph(memory, index, store, { onBlob: (_, outcome) => outcomes.push(outcome) })
        expect(outcomes).toEqual(Array.from({ length: 5 }, () => 'copied'))
        await store.tag(index, reference('1'))
        await store.tag(index, reference('latest'))
        expect((await store.resolve(reference('1'))).digest).toBe(index.digest)
        expect((await store.resolve(reference('latest'))).digest).toBe(index.digest)
        const back = createMemoryStore()
        await copyGraph(store, index, back)
        expect(await back.has(image.layers[1] ?? hello)).toBe(true)
      }),
    )

    it(
      'replaces a name',
      withStore(async ({ store, reference }) => {
        const first = await putImage(store, [{ a: '1' }])
        const second = await putImage(store, [{ a: '2' }])
        await store.tag(first.manifest, reference('latest'))
        await store.tag(second.manifest, reference('latest'))
        expect((await store.resolve(reference('latest'))).digest).toBe(second.manifest.digest)
      }),
    )

    it(
      'does not name what it does not hold',
      withStore(async ({ store, reference }) => {
        await expect(store.tag(hello, reference('latest'))).rejects.toMatchObject({
          code: expect.stringMatching(/^OCB-(?:CONTENT-NOT-FOUND|LAYOUT-INCOMPLETE)$/),
        })
      }),
    )

    it(
      'finds out the digest of what it ingests',
      withStore(async ({ store }) => {
        if (store.ingest === undefined) return
        expect(await store.ingest('text/plain', bytesOf('hello'))).toEqual(hello)
        expect(await store.ingest('text/plain', bytesOf('hello'))).toEqual(hello)
        expect(await store.has(hello)).toBe(true)
      }),
    )
  })
}
