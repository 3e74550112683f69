/** The contract suite over every store. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { createArchiveTarget } from '../../src/archive/archive-target.ts'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { openLayout } from '../../src/layout/layout-store.ts'
import { describeStoreContract } from './store-contract.ts'

const same = (name: string): string => name

describeStoreContract('memory', async () => ({
  store: createMemoryStore(),
  reference: same,
  dispose: () => undefined,
}))

describeStoreContract('an image layout', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'ocibuild-contract-'))
  return {
    store: await openLayout(join(dir, 'image'), { create: true }),
    reference: same,
    dispose() {
      const hidden = readdirSync(join(dir, 'image')).filter((name) => name.startsWith('.'))
      rmSync(dir, { recursive: true })
      expect(hidden).toEqual([])
    },
  }
})

for (const format of ['oci-archive', 'docker-archive'] as const) {
  describeStoreContract(`writing a ${format}`, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'ocibuild-contract-'))
    const store = await createArchiveTarget(join(dir, 'image.tar'), { format })
    return {
      store,
      reference: (name) => (format === 'docker-archive' ? `example.com/app:${name}` : name),
      async dispose() {
        await store.abort()
        const left = readdirSync(dir)
        rmSync(dir, { recursive: true })
        expect(left).toEqual([])
      },
    }
  })
}
