/** What the libraries of a base's layer define: read in one pass over the layer, and kept by its digest. */

import { isPlainObject } from '../config/check-shape.ts'
import { collectFiles } from '../rootfs/collect-files.ts'
import { keepFile, readKeptFile } from '../rootfs/kept-files.ts'
import type { TreeNode } from '../rootfs/tree-types.ts'
import { isSearched } from './image-folders.ts'
import { fileAt, type ImageQuestion, type OpenedBase } from './opened-base.ts'
import { readDefinedVersions } from './read-library.ts'
import type { VersionSummary } from './symbol-versions.ts'

/** A larger one is read when it is asked for, in bytes. */
const maxBytes = 16 * 1024 * 1024

/** By path; null for what is no library of the platform. */
type Table = Readonly<Record<string, VersionSummary | null>>

/** Undefined for what is no library of the platform. Throws what reading the layer throws. */
export async function libraryVersions(
  question: ImageQuestion,
  base: OpenedBase,
  node: TreeNode,
): Promise<VersionSummary | undefined> {
  const { path } = node
  const common = await tableOf(
    '',
    question,
    base,
    () => [node, ...librariesOf(question, base, node.layer)],
    node,
  )
  const found = common[path] === undefined ? await tableOf(path, question, base, () => [node], node) : common
  return found[path] ?? undefined
}

/** `of`: the path that the table is of, or all that are usually asked for. */
async function tableOf(
  of: string,
  { layers, cacheDir, platform, signal }: ImageQuestion,
  { files }: OpenedBase,
  wanted: () => readonly TreeNode[],
  { layer }: TreeNode,
): Promise<Table> {
  const digest = layers[layer]?.digest ?? ''
  const place = `versions/1/${platform.architecture}/${of}`
  const kept = parseTable(readKeptFile(cacheDir, digest, place))
  if (kept !== undefined) return kept
  const nodes = wanted()
  const read = await collectFiles(
    files,
    new Map(nodes.map((node) => [node.path, node])).values(),
    async (content) => (await readDefinedVersions(content, platform)) ?? null,
    { signal },
  )
  const table = Object.fromEntries(nodes.map(({ path }) => [path, read.get(path) ?? null]))
  keepFile(cacheDir, digest, place, Buffer.from(JSON.stringify(table)))
  return table
}

/** Those of one layer that lie where loaders look. */
function librariesOf({ platform }: ImageQuestion, base: OpenedBase, layer: number): readonly TreeNode[] {
  const searched = isSearched(platform)
  const nodes = [...base.byName.values()]
    .flat()
    .flatMap((path) => (searched(path) ? (fileAt(base, path) ?? []) : []))
  return nodes.filter((node) => node.layer === layer && node.size <= maxBytes && node.path.includes('.so'))
}

function parseTable(kept: Uint8Array | undefined): Table | undefined {
  if (kept === undefined) return undefined
  const value: unknown = JSON.parse(Buffer.from(kept).toString('utf8'))
  const table: Record<string, VersionSummary | null> = {}
  for (const [path, summary] of Object.entries(isPlainObject(value) ? value : {})) {
    if (summary === null || typeof summary === 'string') table[path] = summary
  }
  return table
}
