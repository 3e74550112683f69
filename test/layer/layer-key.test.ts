import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/content/hash.ts'
import type { Compression } from '../../src/config/resolved-spec.ts'
import type { Changeset, ChangesetEntry } from '../../src/layer/changeset.ts'
import { layerKey, shapeKey } from '../../src/layer/layer-key.ts'
import { encodeBytes } from '../helpers/layers.ts'

function keyOf(changeset: Changeset, compression: Compression = { type: 'none' }): string {
  const contents = changeset.entries.flatMap((entry) =>
    entry.type === 'file' && entry.source.kind === 'bytes' ? [sha256Bytes(entry.source.bytes)] : [],
  )
  return layerKey(shapeKey(changeset, compression, ''), Buffer.concat(contents))
}

// Few values of each kind, chosen to run into each other where a key would only join them.
const path = fc.constantFrom('a', 'b', 'a 0', '0 0 0', 'a\n', 'ä')
const numbers = fc.record({
  mode: fc.constantFrom(0o644, 0o755, 1, 11),
  uid: fc.constantFrom(0, 1, 11),
  gid: fc.constantFrom(0, 1, 11),
})
const bytes = fc.constantFrom('', '1', '2', '11').map((text) => Buffer.from(text))
const mtime = fc.constantFrom(0, 1, 10)
const entry: fc.Arbitrary<ChangesetEntry> = fc.oneof(
  fc.record({ path, numbers, bytes, mtime: fc.oneof(mtime, fc.constant('content' as const)) }).map((one) => ({
    type: 'file' as const,
    path: one.path,
    ...one.numbers,
    mtime: one.mtime,
    source: { kind: 'bytes' as const, bytes: one.bytes },
  })),
  fc
    .record({
      path,
      numbers,
      mtime,
      target: path,
      type: fc.constantFrom('symlink' as const, 'hardlink' as const),
    })
    .map(({ numbers: rights, ...rest }) => ({ ...rest, ...rights })),
  fc
    .record({
      path,
      numbers,
      mtime,
      type: fc.constant('directory' as const),
      xattrs: fc.constantFrom(
        undefined,
        {},
        { 'user.a': 'MQ==' },
        { 'user.a': 'Mg==' },
        { 'user.b': 'MQ==' },
      ),
    })
    .map(({ numbers: rights, ...rest }) => ({ ...rest, ...rights })),
  fc
    .record({ path, numbers, mtime, type: fc.constantFrom('whiteout' as const, 'opaque' as const) })
    .map(({ numbers: rights, ...rest }) => ({ ...rest, ...rights })),
)
const changeset = fc
  .uniqueArray(entry, { maxLength: 2, selector: (one) => one.path })
  .map((entries): Changeset => ({ name: 'x', entries }))

describe('the key of a layer', () => {
  it('is another wherever the bytes are', async () => {
    const seen = new Map<string, string>()
    await fc.assert(
      fc.asyncProperty(changeset, async (one) => {
        const { diffId } = await encodeBytes(one)
        const key = keyOf(one)
        expect(seen.get(key) ?? diffId).toBe(diffId)
        seen.set(key, diffId)
      }),
      { numRuns: 3000 },
    )
    expect(new Set(seen.values()).size).toBeGreaterThan(500)
  })

  it('is another wherever one entry is put for another of its kind', async () => {
    await fc.assert(
      fc.asyncProperty(changeset, changeset, async (one, two) => {
        if (keyOf(one) === keyOf(two)) {
          expect((await encodeBytes(one)).diffId).toBe((await encodeBytes(two)).diffId)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('says the compression, its level and the encoder, and not the name of the layer', () => {
    const layer: Changeset = { name: 'x', entries: [] }
    const keys = [
      shapeKey(layer, { type: 'none' }, ''),
      shapeKey(layer, { type: 'gzip', level: 5 }, ''),
      shapeKey(layer, { type: 'gzip', level: 6 }, ''),
      shapeKey(layer, { type: 'zstd', level: 5 }, ''),
      shapeKey(layer, { type: 'gzip', level: 5 }, 'zlib 1.2.11'),
    ]
    expect(new Set(keys).size).toBe(keys.length)
    expect(shapeKey({ ...layer, name: 'y' }, { type: 'none' }, '')).toBe(keys[0])
  })
})
