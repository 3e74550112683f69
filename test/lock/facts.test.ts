/** A base that was asked once, and what answers in its place. */

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { OciBuildError } from '../../src/errors.ts'
import { createLowerStack } from '../../src/layer/lower-stack.ts'
import type { BaseFiles } from '../../src/layer/lower.ts'
import { normalizeLayer } from '../../src/layer/normalize.ts'
import { factsBase, UnknownFact } from '../../src/lock/facts-tree.ts'
import { formatLock } from '../../src/lock/format-lock.ts'
import type { BaseFacts } from '../../src/lock/lock.ts'
import { parseLock } from '../../src/lock/parse-lock.ts'
import { mergeFacts, recordFacts } from '../../src/lock/record-facts.ts'
import type { Placement } from '../../src/plan/placement.ts'
import { createTree } from '../../src/rootfs/tree.ts'
import type { LayerEntry } from '../../src/rootfs/tree-types.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { anyLayerEntry, anyPlacement } from '../helpers/any-layers.ts'
import { describeEntry, file, layerOf, lowerEntries, remove } from '../helpers/layers.ts'

const digest = `sha256:${'0'.repeat(64)}` as const
const layer: Descriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 1 }
type Names = readonly (readonly LayerEntry[])[]
type Layers = readonly (readonly Placement[])[]

function filesOf(names: Names): Pick<BaseFiles, 'store' | 'layers'> {
  return { store: createMemoryStore(), layers: names.map(() => layer) }
}

/** Every layer's changeset as lines, or the code of what was thrown. */
async function planOver(layers: Layers, base: BaseFiles): Promise<readonly string[] | string> {
  const stack = createLowerStack(async () => base, '/nowhere')
  const lines: string[] = []
  try {
    for (const [index, placements] of layers.entries()) {
      const changeset = await normalizeLayer(layerOf(placements), stack.opener())
      stack.push({ changeset: async () => changeset })
      lines.push(...changeset.entries.map((entry) => `${index} ${describeEntry(entry)} ${xattrsOf(entry)}`))
    }
    return lines
  } catch (error) {
    if (error instanceof OciBuildError) return error.code
    throw error
  }
}

function xattrsOf(entry: object): string {
  return 'xattrs' in entry && entry.xattrs !== undefined ? JSON.stringify(entry.xattrs) : ''
}

function realBase(names: Names): BaseFiles {
  return { ...filesOf(names), tree: createTree(names) }
}

async function recorded(layers: Layers, names: Names): Promise<BaseFacts> {
  const recorder = recordFacts(filesOf(names), names)
  await planOver(layers, recorder.open())
  return recorder.facts()
}

/** As a lock holds them: through its text and back. */
function throughText(facts: BaseFacts): BaseFacts {
  const platforms = new Map([['linux/amd64', { manifest: digest, config: digest, facts }]])
  const text = formatLock({ references: new Map([['example.com/base:1', { root: layer, platforms }]]) })
  const parsed = parseLock(JSON.parse(text))
    .references.get('example.com/base:1')
    ?.platforms.get('linux/amd64')
  if (parsed === undefined) throw new Error('the platform is gone')
  return parsed.facts
}

const base = [
  lowerEntries('d /usr', 'd /usr/bin 755 0:0', 'l /bin usr/bin', 'd /opt 750 5:6', 'd /srv', 'd /srv/empty'),
  lowerEntries('f /etc/motd', 'f /usr/bin/tool 4755 7:8', 'h /usr/bin/twin usr/bin/tool'),
]

describe('facts', () => {
  it('are what was asked, with what leads there, and of what is absent only the top', async () => {
    const facts = await recorded(
      [
        [
          file('/app/dist/a.js'),
          file('/bin/own'),
          file('/opt/data'),
          file('/usr/bin/tool'),
          file('/srv/empty'),
        ],
      ],
      base,
    )
    const lines = Array.from(facts.paths, ([path, fact]) =>
      fact === 'absent'
        ? `/${path} absent`
        : `/${path} ${fact.type} ${fact.mode.toString(8)} ${fact.uid}:${fact.gid} ${fact.target ?? fact.layer ?? fact.listed ?? ''}`.trim(),
    )
    expect(lines.toSorted()).toEqual([
      '/app absent',
      '/bin symlink 644 0:0 usr/bin',
      '/opt directory 750 5:6 true',
      '/srv directory 755 0:0',
      '/srv/empty directory 755 0:0 true',
      '/usr directory 755 0:0',
      '/usr/bin directory 755 0:0',
      '/usr/bin/own absent',
      '/usr/bin/tool file 4755 7:8 1',
    ])
  })

  it('answer for what lies below something absent, and below a file', async () => {
    const facts = await recorded([[file('/app/a'), remove('/etc/motd')]], base)
    const { tree } = factsBase(filesOf(base), facts)
    expect(tree.get('app/other/b')).toBeUndefined()
    expect(tree.get('etc/motd/x')).toBeUndefined()
    expect(tree.get('etc/motd')).toMatchObject({ type: 'file', layer: 1 })
  })

  it('say so when they do not answer', async () => {
    const { tree, owners } = factsBase(filesOf(base), await recorded([[file('/usr/bin/own')]], base))
    for (const ask of [
      () => tree.get('opt'),
      () => tree.has('usr/bin/other'),
      () => tree.get(''),
      () => tree.childNames('usr/bin'),
      () => tree.childNames(''),
      () => tree.resolve('bin/x'),
      () => owners?.get('node'),
    ]) {
      expect(ask).toThrow(UnknownFact)
    }
    expect(tree.isEmpty()).toBe(false)
  })

  it('list a directory where that is shorter, so that other names in it are answered for', async () => {
    const names = [lowerEntries('d /html', 'f /html/index.html', 'd /html/old', 'f /html/old/x')]
    const facts = await recorded(
      [[file('/html/a-1f.js'), file('/html/b-2e.js'), file('/html/index.html')]],
      names,
    )
    expect([...facts.paths.keys()].toSorted()).toEqual(['html', 'html/index.html', 'html/old'])
    const now = [[file('/html/a-77.js'), file('/html/c-88.js'), file('/html/index.html')]]
    expect(await planOver(now, factsBase(filesOf(names), facts))).toEqual(
      await planOver(now, realBase(names)),
    )
    expect(() => factsBase(filesOf(names), facts).tree.get('html/old/x')).toThrow(UnknownFact)
  })

  it('of an empty base answer everything', async () => {
    const names = [lowerEntries('d /')]
    const facts = await recorded([[file('/a/b')]], names)
    const { tree } = factsBase(filesOf(names), facts)
    expect(tree.isEmpty()).toBe(true)
    expect(tree.get('anything/at/all')).toBeUndefined()
  })

  it('of two images on one base are united', async () => {
    const [one, other] = [
      await recorded([[file('/srv/empty')]], base),
      await recorded([[file('/srv/empty/x'), file('/opt/a')]], base),
    ]
    for (const facts of [mergeFacts([one, other]), mergeFacts([other, one])]) {
      const { tree } = factsBase(filesOf(base), facts)
      expect(tree.childNames('srv/empty')).toEqual([])
      expect(tree.has('opt/a')).toBe(false)
    }
  })
})

describe('a plan over facts', () => {
  it('is the plan over the base, for any base and any layers', async () => {
    let planned = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(anyLayerEntry, { maxLength: 12 }), { minLength: 1, maxLength: 3 }),
        fc.array(fc.array(anyPlacement, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
        async (baseNames, layers) => {
          const real = await planOver(layers, realBase(baseNames))
          const facts = throughText(await recorded(layers, baseNames))
          expect(await planOver(layers, factsBase(filesOf(baseNames), facts))).toEqual(real)
          if (typeof real !== 'string') planned += 1
        },
      ),
      { numRuns: 600 },
    )
    expect(planned).toBeGreaterThan(100)
  })

  it('is never another one, for facts that were recorded for other layers', async () => {
    let answered = 0
    const layers = fc.array(fc.array(anyPlacement, { minLength: 1, maxLength: 3 }), {
      minLength: 1,
      maxLength: 2,
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(anyLayerEntry, { maxLength: 12 }), { minLength: 1, maxLength: 2 }),
        layers,
        layers,
        async (baseNames, before, now) => {
          const facts = throughText(await recorded(before, baseNames))
          try {
            const got = await planOver(now, factsBase(filesOf(baseNames), facts))
            expect(got).toEqual(await planOver(now, realBase(baseNames)))
            answered += 1
          } catch (error) {
            if (!(error instanceof UnknownFact)) throw error
          }
        },
      ),
      { numRuns: 600 },
    )
    expect(answered).toBeGreaterThan(20)
  })
})
