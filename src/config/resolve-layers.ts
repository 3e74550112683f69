/** Layers as words become layers as data, for one platform. */

import { resolve } from 'node:path'
import { parsePlatform, samePlatform, type Platform } from '../spec/platform.ts'
import type { Path } from './fault.ts'
import { formatPath } from './describe-value.ts'
import { parseCompression } from './grammar.ts'
import { resolveEntry } from './resolve-entry.ts'
import type { Compression, EntrySpec, LayerSpec } from './resolved-spec.ts'
import { isPresent, present } from './schema-tools.ts'
import type { EntryWords, LayerList, LayerWords, List } from './spec-types.ts'

export interface LayerDefaults {
  readonly platform: Platform
  readonly compression: Compression
  /** Absolute. */
  readonly root: string
  /** Where a path of the spec stands in the file. */
  locate(path: Path): Path
}

/** The layers that are for the platform, in order, each with a name of its own. */
export function resolveLayers(layers: LayerList, defaults: LayerDefaults): LayerSpec[] {
  const names = new Set<string>()
  for (const layer of layers) if (isPresent(layer) && 'entries' in layer && layer.name) names.add(layer.name)
  const taken = new Set<string>()
  const found: LayerSpec[] = []
  for (const [index, words] of layers.entries()) {
    if (!isPresent(words) || !isFor(words.platforms, defaults.platform)) continue
    const path = ['layers', index]
    const entries = entriesOf(words, path, defaults)
    // Empty because of platforms is what was asked for; a layer written empty is left for a warning.
    if (entries.length === 0 && 'entries' in words && present(words.entries).length > 0) continue
    const compression =
      'entries' in words && words.compression !== undefined
        ? parseCompression(words.compression)
        : defaults.compression
    const given = 'entries' in words ? words.name : undefined
    const name = given ?? uniqueName(nameOf(entries, index), names, taken)
    taken.add(name)
    found.push({ at: formatPath(defaults.locate(path)), name, entries, compression })
  }
  return found
}

function entriesOf(words: LayerWords | EntryWords, path: Path, defaults: LayerDefaults): EntrySpec[] {
  const root = resolve(defaults.root)
  if (!('entries' in words)) return [resolveEntry(words, formatPath(defaults.locate(path)), root)]
  const entries: EntrySpec[] = []
  for (const [index, entry] of words.entries.entries()) {
    if (!isPresent(entry) || !isFor(entry.platforms, defaults.platform)) continue
    entries.push(resolveEntry(entry, formatPath(defaults.locate([...path, 'entries', index])), root))
  }
  return entries
}

/** A filter without variant is for all of them. */
function isFor(platforms: List<string> | undefined, platform: Platform): boolean {
  const wanted = present(platforms).map((text) => parsePlatform(text))
  if (platforms === undefined) return true
  return wanted.some((filter) =>
    filter.variant === undefined
      ? filter.os === platform.os && filter.architecture === platform.architecture
      : samePlatform(filter, platform),
  )
}

function nameOf(entries: readonly EntrySpec[], index: number): string {
  const [entry, ...others] = entries
  if (entry === undefined || others.length > 0) return `layer-${index + 1}`
  return imagePathOf(entry)
}

function imagePathOf(entry: EntrySpec): string {
  switch (entry.verb) {
    case 'copy':
    case 'archive':
    case 'download':
      return entry.to
    case 'file':
      return entry.file
    case 'append':
      return entry.append
    case 'directory':
      return entry.directory
    case 'symlink':
      return entry.symlink
    case 'hardlink':
      return entry.hardlink
    case 'remove':
      return entry.remove
    case 'opaque':
      return entry.opaque
  }
}

function uniqueName(wanted: string, given: ReadonlySet<string>, taken: ReadonlySet<string>): string {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? wanted : `${wanted} (${count})`
    if (!given.has(name) && !taken.has(name)) return name
  }
}
