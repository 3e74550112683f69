import { describe, expect, it } from 'vitest'
import { tarPath } from '../../src/layer/tar-entry.ts'
import { normalizeLayer } from '../../src/layer/normalize.ts'
import type { Placement } from '../../src/plan/placement.ts'
import {
  directory,
  file,
  layerOf,
  lowerEntries,
  lowerOf,
  normalized,
  opaque,
  remove,
  symlink,
} from '../helpers/layers.ts'

const lower = lowerEntries(
  'd /d 0700 1:1',
  'f /d/a',
  'f /d/b',
  'd /d/sub 0711 2:2',
  'f /d/sub/c',
  'f /f',
  'l /link d',
  'd /one',
  'f /one/only',
)

const cases: [title: string, placements: readonly Placement[], entries: readonly string[]][] = [
  ['of a file is a whiteout', [remove('/d/a')], ['d /d 0700 1:1', 'w /d/a']],
  ['of a directory is one whiteout', [remove('/d')], ['w /d']],
  ['of a link is of the link, not of what it leads to', [remove('/link')], ['w /link']],
  ['through a link is where the link leads', [remove('/link/a')], ['d /d 0700 1:1', 'w /d/a']],
  ['takes away what the layer had put there before', [file('/d/sub/x'), remove('/d')], ['w /d']],
  ['may be said twice of what the layer put there again', [remove('/f'), file('/f'), remove('/f')], ['w /f']],
  [
    'of something inside first, and then of all, is one whiteout',
    [remove('/d/sub/c'), remove('/d')],
    ['w /d'],
  ],
  ['and made again as a file is the file', [remove('/d'), file('/d', 'x')], ['f /d 0644 0:0 x']],
  ['and made again as a link is the link', [remove('/d'), symlink('/d', 'f')], ['l /d -> f']],
  [
    'and made again as a directory is a new directory with an opaque marker',
    [remove('/d'), file('/d/x', 'x')],
    ['d /d 0755 0:0', 'o /d', 'f /d/x 0644 0:0 x'],
  ],
  [
    'and made again as a directory takes what the spec says of it',
    [remove('/d'), directory('/d', { mode: 0o750, owner: '3:3' })],
    ['d /d 0750 3:3', 'o /d'],
  ],
  [
    'and made again deep below needs no marker but at the top',
    [remove('/d/sub/c'), remove('/d'), file('/d/sub/x', 'x')],
    ['d /d 0755 0:0', 'o /d', 'd /d/sub 0755 0:0', 'f /d/sub/x 0644 0:0 x'],
  ],
  [
    'of a file and made again as a directory is a directory with an opaque marker',
    [remove('/f'), file('/f/x', 'x')],
    ['d /f 0755 0:0', 'o /f', 'f /f/x 0644 0:0 x'],
  ],
  [
    'of all that a directory holds lets a file take its place, and leaves no whiteout below the file',
    [remove('/one/only'), file('/one', 'x')],
    ['f /one 0644 0:0 x'],
  ],
  [
    'after an opaque marker takes the marker away too',
    [opaque('/d/sub'), file('/d/sub/x'), remove('/d')],
    ['w /d'],
  ],
]

describe('a removal', () => {
  it.each(cases)('%s', async (_, placements, entries) => {
    expect(await normalized(placements, lowerOf(lower))).toEqual(entries)
  })

  it.each([
    ['of what no lower layer has', [remove('/d/none')]],
    ['of what only the layer itself has', [file('/new'), remove('/new')]],
    ['of what went with its directory', [remove('/d'), remove('/d/a')]],
    ['of what an opaque marker hides', [opaque('/d'), remove('/d/a')]],
    ['of the root', [remove('/')]],
  ] as [string, Placement[]][])('%s is refused', async (_, placements) => {
    await expect(normalized(placements, lowerOf(lower))).rejects.toMatchObject({ code: 'OCB-REMOVE-MISSING' })
  })
})

const opaqueCases: [title: string, placements: readonly Placement[], entries: readonly string[]][] = [
  ['keeps the directory as it is below', [opaque('/d')], ['d /d 0700 1:1', 'o /d']],
  [
    'hides children, whose attributes no longer count',
    [opaque('/d'), file('/d/sub/x', 'x')],
    ['d /d 0700 1:1', 'o /d', 'd /d/sub 0755 0:0', 'f /d/sub/x 0644 0:0 x'],
  ],
  [
    'keeps what the layer itself puts there, before or after',
    [file('/d/x', 'x'), opaque('/d'), file('/d/y', 'y')],
    ['d /d 0700 1:1', 'o /d', 'f /d/x 0644 0:0 x', 'f /d/y 0644 0:0 y'],
  ],
  ['covers the removals below it', [remove('/d/a'), opaque('/d')], ['d /d 0700 1:1', 'o /d']],
  ['follows a link', [opaque('/link')], ['d /d 0700 1:1', 'o /d']],
  ['of the root stands alone', [opaque('/')], ['o /']],
  ['of a directory that nobody has makes it', [opaque('/new')], ['d /new 0755 0:0', 'o /new']],
]

describe('an opaque marker', () => {
  it.each(opaqueCases)('%s', async (_, placements, entries) => {
    expect(await normalized(placements, lowerOf(lower))).toEqual(entries)
  })

  it.each([
    ['at a lower file', [opaque('/f')]],
    ['at a file of the layer, put there before', [file('/new'), opaque('/new')]],
    ['at a file of the layer, put there after', [opaque('/d'), file('/d')]],
  ] as [string, Placement[]][])('%s is refused', async (_, placements) => {
    await expect(normalized(placements, lowerOf(lower))).rejects.toMatchObject({
      code: 'OCB-ENTRY-BELOW-FILE',
    })
  })
})

it('the names in the tar are those of image-spec, Whiteouts', async () => {
  const { entries } = await normalizeLayer(
    layerOf([remove('/d/a'), remove('/f'), opaque('/d/sub'), opaque('/')]),
    lowerOf(lower).open,
  )
  // The root's marker hides the file; nothing is left to remove.
  expect(entries.map(tarPath)).toEqual(['.wh..wh..opq', 'd', 'd/sub', 'd/sub/.wh..wh..opq'])
})

it('a whiteout is an empty file named for what it hides', async () => {
  const { entries } = await normalizeLayer(layerOf([remove('/d/a')]), lowerOf(lower).open)
  expect(entries.map(tarPath)).toEqual(['d', 'd/.wh.a'])
})
