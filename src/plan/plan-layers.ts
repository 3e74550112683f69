/** From a spec's layers to what each entry places. No file's bytes are read, but for archives and downloads. */

import type { EntrySpec, LayerSpec } from '../config/resolved-spec.ts'
import { throwIfAborted } from '../errors.ts'
import { createHiddenLog } from './hidden-log.ts'
import { placeAppend, placeFile } from './place-content.ts'
import { placeCopy } from './place-copy.ts'
import { placeDirectory, placeHardlink, placeOpaque, placeRemove, placeSymlink } from './place-node.ts'
import type { HiddenBy, Placed, PlannedLayer } from './placement.ts'
import type { LayerContext, PlanContext } from './plan-context.ts'

/**
 * Plans layers in the spec's order, each entry's placements in order too (a later one wins). Patterns of ignore
 * files and of `exclude` that hid something are told in `hidden`. Throws what the entries' own verbs throw.
 */
export async function planLayers(
  layers: readonly LayerSpec[],
  context: PlanContext,
): Promise<{ readonly layers: readonly PlannedLayer[]; readonly hidden: readonly HiddenBy[] }> {
  const planned: PlannedLayer[] = []
  const hidden: HiddenBy[] = []
  for (const layer of layers) {
    const log = createHiddenLog(layer.name)
    const placements: Placed[] = []
    for (const entry of layer.entries) {
      throwIfAborted(context.reporter.signal)
      // One by one: arguments of tens of thousands overflow the stack.
      for (const placed of await placeEntry(entry, { ...context, hidden: log })) placements.push(placed)
    }
    const { name, at, compression } = layer
    planned.push({ name, at, compression, placements })
    hidden.push(...log.all())
  }
  return { layers: planned, hidden }
}

/** The table of verbs; those that need an archive reader or the network load it when they are met. */
async function placeEntry(entry: EntrySpec, context: LayerContext): Promise<readonly Placed[]> {
  switch (entry.verb) {
    case 'copy':
      if (entry.from === undefined) return (context.copies?.place ?? placeCopy)(entry, context)
      return (await import('./place-from-image.ts')).placeFromImage(entry, entry.from, context)
    case 'file':
      return placeFile(entry)
    case 'append':
      return placeAppend(entry)
    case 'directory':
      return placeDirectory(entry)
    case 'symlink':
      return placeSymlink(entry)
    case 'hardlink':
      return placeHardlink(entry)
    case 'remove':
      return placeRemove(entry)
    case 'opaque':
      return placeOpaque(entry)
    case 'archive':
      return (await import('./place-archive.ts')).placeArchive(entry, context)
    case 'download':
      return (await import('./place-download.ts')).placeDownload(entry, context)
  }
}
