/** How tagging changes the entries of index.json. */

import { refNameAnnotation } from '../content/image-names.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { LayoutIndex } from './layout-index.ts'

/** `target` keeps the annotations that it brings; the ref name is set on it. */
export interface TaggedImage {
  readonly target: Descriptor
  readonly reference: string
}

/**
 * The entries with each image under its reference: in the place of the entry that had it, else at the end. All other
 * entries stay as they were written. `replaced` are the descriptors that gave way.
 */
export function replaceEntries(
  index: LayoutIndex,
  images: readonly TaggedImage[],
): { readonly rawEntries: readonly unknown[]; readonly replaced: readonly Descriptor[] } {
  const pairs: { raw: unknown; entry: Descriptor }[] = index.entries.map((entry, position) => ({
    raw: index.rawEntries[position],
    entry,
  }))
  const replaced: Descriptor[] = []
  for (const { target, reference } of images) {
    const entry = { ...target, annotations: { ...target.annotations, [refNameAnnotation]: reference } }
    const same = pairs.filter((pair) => pair.entry.annotations?.[refNameAnnotation] === reference)
    const place = pairs.findIndex((pair) => pair === same[0])
    replaced.push(...same.map((pair) => pair.entry))
    if (place === -1) pairs.push({ raw: entry, entry })
    else pairs[place] = { raw: entry, entry }
    for (const extra of same.slice(1)) pairs.splice(pairs.indexOf(extra), 1)
  }
  return { rawEntries: pairs.map(({ raw }) => raw), replaced }
}
