import { describe, expect, it } from 'vitest'
import { normalizeLayer } from '../../src/layer/normalize.ts'
import type { Placement } from '../../src/plan/placement.ts'
import {
  append,
  directory,
  file,
  folder,
  layerOf,
  lowerEntries,
  lowerOf,
  opaque,
  remove,
  symlink,
} from '../helpers/layers.ts'

describe('what lies below', () => {
  const cases: [title: string, opened: number, placements: readonly Placement[]][] = [
    ['is not opened for entries in the root', 0, [file('/a'), symlink('/b', 'a')]],
    ['is not opened where the spec describes every parent', 0, [directory('/app'), file('/app/x')]],
    [
      'is not opened for a copy into described directories',
      0,
      [folder('/app'), directory('/app'), file('/app/x')],
    ],
    [
      'is not opened for numbers as owners',
      0,
      [file('/a', '', { owner: '1:2' }), file('/b', '', { owner: '1' })],
    ],
    ['is not opened to hide all of the root', 0, [opaque('/')]],
    ['is opened for a parent that the spec does not describe', 1, [directory('/app'), file('/app/b/x')]],
    ['is opened for a parent of a described directory', 1, [directory('/app/b'), file('/app/b/x')]],
    ['is opened for a folder that a copy brings', 1, [folder('/app')]],
    ['is opened for a name as owner', 1, [file('/a'), directory('/b', { owner: '0:root' })]],
    ['is opened for the directory of an opaque marker', 1, [opaque('/data')]],
    ['is not opened for an opaque marker in a described directory', 0, [directory('/data'), opaque('/data')]],
  ]
  it.each(cases)('%s', async (_, opened, placements) => {
    const lower = lowerOf(lowerEntries('d /data 0700 1:1'), {})
    await normalizeLayer(layerOf(placements), lower.open).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'OCB-OWNER-UNKNOWN' })
    })
    expect(lower.opened()).toBe(opened)
  })

  it('is opened by remove and append', async () => {
    const lower = lowerOf(lowerEntries('f /a', 'f /b'), { '/b': '1' })
    await normalizeLayer(layerOf([remove('/a'), append('/b', '2')]), lower.open)
    expect(lower.opened()).toBe(1)
  })
})
