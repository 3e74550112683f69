/** Tables of placements over a lower layer: what they become, or the code that refuses them. */

import { expect, it } from 'vitest'
import type { Placement } from '../../src/plan/placement.ts'
import type { LayerEntry } from '../../src/rootfs/tree-types.ts'
import { lowerOf, normalized } from './layers.ts'

export interface Case {
  readonly title: string
  readonly lower?: readonly LayerEntry[]
  readonly contents?: Readonly<Record<string, string>>
  readonly placements: readonly Placement[]
  readonly entries: readonly string[]
}

export function table(cases: readonly Case[]): void {
  for (const { title, lower, contents, placements, entries } of cases) {
    it(title, async () => {
      expect(await normalized(placements, lowerOf(lower, contents))).toEqual(entries)
    })
  }
}

export function refuses(
  cases: readonly (readonly [
    title: string,
    code: string,
    placements: readonly Placement[],
    lower?: LayerEntry[],
  ])[],
): void {
  for (const [title, code, placements, lower] of cases) {
    it(title, async () => {
      await expect(normalized(placements, lowerOf(lower))).rejects.toMatchObject({ code })
    })
  }
}
