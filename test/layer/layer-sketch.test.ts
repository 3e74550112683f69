/** The tops of layers in place of layers: what lies on them is the same. */

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { OciBuildError } from '../../src/errors.ts'
import type { Changeset } from '../../src/layer/changeset.ts'
import { parseSketch, sketchOf } from '../../src/layer/layer-sketch.ts'
import { createLowerStack } from '../../src/layer/lower-stack.ts'
import { normalizeLayer } from '../../src/layer/normalize.ts'
import type { Placement } from '../../src/plan/placement.ts'
import { createTree } from '../../src/rootfs/tree.ts'
import type { LayerEntry } from '../../src/rootfs/tree-types.ts'
import { encodeJson } from '../../src/spec/json.ts'
import { anyLayerEntry, anyPlacement } from '../helpers/any-layers.ts'
import {
  append,
  describeEntry,
  directory,
  file,
  folder,
  layerOf,
  remove,
  symlink,
} from '../helpers/layers.ts'

type Layers = readonly (readonly Placement[])[]
type Names = readonly (readonly LayerEntry[])[]

interface Outcome {
  readonly lines: readonly string[]
  /** How many lower layers were asked for in full. */
  readonly asked: number
}

/** Plans layers one over another; the lower ones told by sketches of so many entries, or whole. */
async function planOver(base: Names, layers: Layers, maxEntries: number | undefined): Promise<Outcome> {
  const open = async (): Promise<
    Parameters<typeof createLowerStack>[0] extends () => Promise<infer F> ? F : never
  > => ({
    store: createMemoryStore(),
    layers: [],
    tree: createTree(base),
  })
  const stack = createLowerStack(open, '/nowhere')
  const lines: string[] = []
  let asked = 0
  for (const placements of layers) {
    const opener = stack.opener()
    let changeset: Changeset
    try {
      changeset = await normalizeLayer(layerOf(placements), opener)
    } catch (error) {
      if (!(error instanceof OciBuildError)) throw error
      return { lines: [...lines, `${error.code} ${error.message}`], asked }
    }
    const sketch = maxEntries === undefined ? undefined : throughText(sketchOf(changeset, maxEntries))
    const again = async (): Promise<Changeset> => {
      asked += 1
      return changeset
    }
    stack.push({ changeset: again, sketch })
    lines.push(...changeset.entries.map(describeEntry), '-')
  }
  return { lines, asked }
}

function throughText(sketch: ReturnType<typeof sketchOf>): ReturnType<typeof sketchOf> {
  if (sketch === undefined) return undefined
  const text = Buffer.from(encodeJson(sketch)).toString()
  const read = parseSketch(JSON.parse(text))
  expect(read).toEqual(sketch)
  return read
}

const changesetOf = (...placements: readonly Placement[]): Promise<Changeset> =>
  normalizeLayer(layerOf(placements), async () => ({
    tree: createTree(),
    readFile: async () => Buffer.alloc(0),
  }))

describe('the sketch of a layer', () => {
  it('is its upper levels, as many as fit, and the folders that it says no more of', async () => {
    const changeset = await changesetOf(file('/a/b/c/d'), file('/a/b/e'), file('/f'), symlink('/g', 'a'))
    expect(sketchOf(changeset, 4)).toMatchObject({
      entries: [{ path: 'a' }, { path: 'a/b' }, { path: 'f', type: 'file' }, { path: 'g', target: 'a' }],
      closed: ['a/b'],
    })
    expect(sketchOf(changeset, 3)?.closed).toEqual(['a'])
    expect(sketchOf(changeset, 2)).toBeUndefined()
    expect(sketchOf(changeset)?.closed).toEqual([])
  })

  it('is as large as can be, whatever lies below', async () => {
    const depthOf = (path: string): number => path.split('/').length
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.constantFrom('a', 'a-b', 'b', 'c'), { minLength: 1, maxLength: 5 }), {
          maxLength: 60,
        }),
        fc.integer({ min: 1, max: 40 }),
        async (paths, maxEntries) => {
          const changeset = await changesetOf(...paths.map((parts) => folder(`/${parts.join('/')}`)))
          const counted = (most: number): number =>
            changeset.entries.filter(({ path }) => depthOf(path) <= most).length
          const deepest = [5, 4, 3, 2, 1].find((most) => counted(most) <= maxEntries)
          const kept = changeset.entries.filter(({ path }) => depthOf(path) <= (deepest ?? 0))
          const none = deepest === undefined ? undefined : kept.map(({ path }) => path)
          expect(sketchOf(changeset, maxEntries)?.entries.map(({ path }) => path)).toEqual(none)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('is none of a layer that hides something', async () => {
    const changeset = await changesetOf(file('/a'))
    const marker = { mode: 0o644, uid: 0, gid: 0, mtime: 0 }
    for (const type of ['whiteout', 'opaque'] as const) {
      const entries = [...changeset.entries, { ...marker, type, path: 'b' }]
      expect(sketchOf({ ...changeset, entries })).toBeUndefined()
    }
  })

  it.each([null, {}, { entries: [], closed: [1] }, { entries: [{ path: 'a' }], closed: [] }, { entries: 1 }])(
    'is not read of %j',
    (value) => {
      expect(parseSketch(value)).toBeUndefined()
    },
  )
})

describe('a layer over sketches', () => {
  const dependencies = [
    folder('/app/modules'),
    ...['a', 'b', 'c'].map((name) => file(`/app/modules/${name}/x`)),
  ]

  it('asks for no lower layer where their tops tell all', async () => {
    const above = [[file('/app/src/main.js')], [directory('/app/data', { owner: '7:7' })]]
    const whole = await planOver([], [dependencies, ...above], undefined)
    const sketched = await planOver([], [dependencies, ...above], 3)
    expect(sketched.lines).toEqual(whole.lines)
    expect([whole.asked, sketched.asked]).toEqual([2, 0])
  })

  it.each<readonly [string, readonly Placement[]]>([
    ['writes into a folder that is closed', [file('/app/modules/a/y')]],
    ['removes what lies in one', [remove('/app/modules/a/x')]],
    ['puts a file where one is', [file('/app/modules')]],
    ['appends to a file of it', [append('/app/modules/a/x', 'more')]],
  ])('asks for the layer where it %s', async (_, placements) => {
    const whole = await planOver([], [dependencies, placements], undefined)
    const sketched = await planOver([], [dependencies, placements], 2)
    expect(sketched.lines).toEqual(whole.lines)
    expect(sketched.asked).toBe(1)
  })

  it('is the same as over the layers, for any base and any layers', async () => {
    let spared = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(anyLayerEntry, { maxLength: 8 }), { maxLength: 2 }),
        fc.array(fc.array(anyPlacement, { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 1, max: 6 }),
        async (base, layers, maxEntries) => {
          const whole = await planOver(base, layers, undefined)
          const sketched = await planOver(base, layers, maxEntries)
          expect(sketched.lines).toEqual(whole.lines)
          if (sketched.asked < whole.asked) spared += 1
        },
      ),
      { numRuns: 800 },
    )
    expect(spared).toBeGreaterThan(100)
  })
})
