/** One platform of an image: the right one, with few requests. */

import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import type { Fetcher } from '../../src/content/store.ts'
import { parsePlatform } from '../../src/spec/platform.ts'
import { selectPlatform } from '../../src/transfer/select-platform.ts'
import { putImage, putIndex } from '../helpers/images.ts'

describe('a platform of an image', () => {
  it('is found by the index alone', async () => {
    const store = createMemoryStore()
    const amd64 = await putImage(store, [{ a: 'a' }])
    const arm64 = await putImage(store, [{ a: 'a' }], 'arm64')
    const root = await putIndex(store, [amd64.manifest, arm64.manifest])
    const asked: string[] = []
    const counting: Fetcher = {
      fetch: (target, options) => {
        asked.push(target.digest)
        return store.fetch(target, options)
      },
    }
    const found = await selectPlatform(counting, root, parsePlatform('linux/arm64/v8'))
    expect(found.digest).toBe(arm64.manifest.digest)
    expect(asked).toEqual([root.digest])
  })

  it('is told by configs where the index does not', async () => {
    const store = createMemoryStore()
    const images = [await putImage(store, [{ a: 'a' }]), await putImage(store, [{ a: 'a' }], 'arm64')]
    const bare = images.map(({ manifest: { mediaType, digest, size } }) => ({ mediaType, digest, size }))
    const root = await putIndex(store, bare)
    const found = await selectPlatform(store, root, parsePlatform('linux/arm64'))
    expect(found.digest).toBe(images[1]?.manifest.digest)
    const nested = await putIndex(store, [root])
    expect((await selectPlatform(store, nested, parsePlatform('linux/amd64'))).digest).toBe(
      images[0]?.manifest.digest,
    )
  })

  it('is the manifest itself where that is for it, and an error where nothing is', async () => {
    const store = createMemoryStore()
    const { manifest } = await putImage(store, [{ a: 'a' }])
    expect((await selectPlatform(store, manifest, parsePlatform('linux/amd64'))).digest).toBe(manifest.digest)
    const missing = selectPlatform(store, manifest, parsePlatform('linux/s390x'))
    await expect(missing).rejects.toMatchObject({ code: 'OCB-USAGE-PLATFORM' })
  })
})
