/** The schema's layers and entries (contract, section 1, Entries). */

import * as v from 'valibot'
import * as words from './schema-words.ts'
import {
  flag,
  isPresent,
  list,
  object,
  oneOf,
  optional,
  whole,
  type Report,
  type Schema,
} from './schema-tools.ts'
import type * as types from './spec-types.ts'

const { imagePath, octalMode, onlyPlatforms: platforms } = words
const owner = optional(words.owner)
const globs = optional(words.globs)
const strip = optional(whole('a whole number of folders', 0, 1000))

const copyEntry = object<types.CopyEntry>(
  {
    copy: v.union([words.hostPath, words.hostPaths]),
    to: imagePath,
    from: optional(words.reference),
    include: globs,
    exclude: globs,
    mode: optional(words.anyMode),
    dirMode: optional(words.anyMode),
    owner,
    mtime: optional(words.mtime),
    root: optional(words.hostPath),
    follow: optional(flag()),
    hardLinks: optional(oneOf(['copy', 'preserve'])),
    platforms,
  },
  (value, report) => {
    if (Array.isArray(member(value, 'copy')) && !hasMembers(member(value, 'copy'))) {
      report(['copy'], 'found an empty list, wanted at least one path')
    }
    if (member(value, 'from') !== undefined && member(value, 'root') !== undefined) {
      report(
        ['root'],
        'found "root" beside "from", where paths begin at the root of that image: leave it out',
      )
    }
  },
)

const fileEntry = object<types.FileEntry>(
  {
    file: imagePath,
    content: words.string,
    encoding: optional(oneOf(['utf8', 'base64'])),
    template: optional(flag()),
    mode: optional(octalMode),
    owner,
    platforms,
  },
  checkBase64,
)

const appendEntry = object<types.AppendEntry>(
  { append: imagePath, content: optional(words.string), copy: optional(words.hostPath), platforms },
  (value, report) => {
    const both = member(value, 'content') !== undefined && member(value, 'copy') !== undefined
    const none = member(value, 'content') === undefined && member(value, 'copy') === undefined
    if (both) report([], 'found both "content" and "copy", wanted one of them')
    if (none) report([], 'found neither "content" nor "copy", wanted one of them')
  },
)

const directoryEntry = object<types.DirectoryEntry>({
  directory: imagePath,
  mode: optional(octalMode),
  owner,
  platforms,
})
const symlinkEntry = object<types.SymlinkEntry>({
  symlink: imagePath,
  target: words.filled,
  owner,
  platforms,
})
const hardlinkEntry = object<types.HardlinkEntry>({ hardlink: imagePath, target: imagePath, platforms })
const removeEntry = object<types.RemoveEntry>({ remove: imagePath, platforms })
const opaqueEntry = object<types.OpaqueEntry>({ opaque: imagePath, platforms })
const archiveEntry = object<types.ArchiveEntry>({
  archive: words.hostPath,
  to: imagePath,
  strip,
  include: globs,
  exclude: globs,
  owner,
  platforms,
})
const downloadEntry = object<types.DownloadEntry>(
  {
    download: words.url,
    sha256: words.sha256,
    to: imagePath,
    mode: optional(octalMode),
    owner,
    extract: optional(flag()),
    strip,
    platforms,
  },
  (value, report) => {
    if (member(value, 'strip') !== undefined && member(value, 'extract') !== true) {
      report(['strip'], 'found "strip" without "extract: true"')
    }
  },
)

/** Every entry by the name of its type. `append` comes before `copy`, which is a field of it. */
export const entrySchemas: {
  readonly [Name in `${Capitalize<string>}Entry`]: Schema<types.EntryWords>
} = {
  AppendEntry: appendEntry,
  CopyEntry: copyEntry,
  FileEntry: fileEntry,
  DirectoryEntry: directoryEntry,
  SymlinkEntry: symlinkEntry,
  HardlinkEntry: hardlinkEntry,
  RemoveEntry: removeEntry,
  OpaqueEntry: opaqueEntry,
  ArchiveEntry: archiveEntry,
  DownloadEntry: downloadEntry,
}

export const layerSchema: Schema<types.LayerWords> = object<types.LayerWords>({
  entries: list(v.union(Object.values(entrySchemas))),
  name: optional(words.filled),
  compression: optional(words.compression),
  platforms,
})

const layerOrEntry = v.union([layerSchema, ...Object.values(entrySchemas)])

export const layerListSchema: Schema<types.LayerList> = list(layerOrEntry)

export const layersSchema: Schema<types.Layers> = v.union([
  layerListSchema,
  v.custom<Exclude<types.Layers, types.LayerList>>((value) => typeof value === 'function', 'a function'),
])

/** A field of a value that may be no object. */
export function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}

function hasMembers(value: unknown): boolean {
  return Array.isArray(value) && value.some((item) => isPresent(item))
}

function checkBase64(value: unknown, report: Report): void {
  const content = member(value, 'content')
  if (member(value, 'encoding') !== 'base64' || typeof content !== 'string') return
  const packed = content.replaceAll(/\s/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(packed) || packed.replaceAll('=', '').length % 4 === 1) {
    report(['content'], 'found what is not base64, wanted base64 as "encoding" says')
  }
}
