/** `copy … from: REF`: the files of another image as members that a spec may place. */

import picomatch from 'picomatch'
import { OciBuildError } from '../errors.ts'
import { compareBytes } from '../spec/json.ts'
import { collectFiles, type Rootfs } from './collect-files.ts'
import type { FileSource } from './file-source.ts'
import { createPathFilter, matchTree, parentOf, type PathFilter } from './path-filter.ts'
import { createSpool } from './spool.ts'
import type { TreeNode } from './tree-types.ts'
import type { ArchiveMember } from './unpack-archive.ts'
import { followNode, walkTree, type WalkedNode } from './walk-tree.ts'

export interface ImageMember extends ArchiveMember {
  /**
   * Where it lands below `to`. Of a path that names a file or a symlink: its last component; of one that names a
   * folder: relative to the folder, and '' for the folder itself; of a glob: relative to its fixed part.
   */
  readonly path: string
  /** The pattern that found it, as it was given. */
  readonly pattern: string
  readonly found: 'file' | 'folder' | 'glob'
  /** Absolute, in the image that it comes from, as the pattern reached it. */
  readonly imagePath: string
}

export interface SelectImageFilesOptions {
  /** Where the bytes of files wait; the caller removes it after the build. */
  readonly spoolDir: string
  /** Globs, relative to the folder, or to the fixed part of a glob. A file that is named outright passes. Default: all. */
  readonly include?: readonly string[] | undefined
  readonly exclude?: readonly string[] | undefined
  /** Symlinks are what they lead to inside the image. Default: they stay links. */
  readonly follow?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

interface Selection {
  readonly passes: PathFilter
  /** Whether there is an `include`. */
  readonly filtered: boolean
  readonly follow: boolean
}

/** A member before its bytes are read. */
interface Selected extends Pick<ImageMember, 'path' | 'pattern' | 'found' | 'imagePath'> {
  readonly node: TreeNode
}

/**
 * What paths and globs (absolute image paths) find, pattern by pattern, sorted by path; nothing found is []. Symlinks
 * among the parents of a pattern's fixed part are followed inside the image; a symlink that is found stays one (a
 * trailing slash, and `follow`, follow it). A matched directory includes its tree. Hard links become files that share
 * their source. Throws what `walkTree` throws, `OCB-IMAGE-FILE-REFUSED` for a device or fifo, `OCB-PATH-LOOP`, and what reading the layers throws; only
 * layers that hold a file of the selection are read, once each.
 */
export async function selectImageFiles(
  source: Rootfs,
  patterns: readonly string[],
  options: SelectImageFilesOptions,
): Promise<readonly ImageMember[]> {
  const selection: Selection = {
    passes: createPathFilter(options.include, options.exclude),
    filtered: (options.include?.length ?? 0) > 0,
    follow: options.follow === true,
  }
  const selected = patterns.flatMap((pattern) => {
    const { isGlob, base, glob } = picomatch.scan(pattern)
    // A name that the image has outright is that name, whatever it looks like (`/app/[id]`).
    const list =
      isGlob && !source.tree.has(source.tree.resolve(pattern))
        ? selectGlob(source, pattern, base, matchTree([glob]), selection)
        : selectPath(source, pattern, selection)
    return list.toSorted((a, b) => compareBytes(a.path, b.path))
  })
  const files = new Map<string, TreeNode>()
  for (const { node } of selected) {
    if (node.type === 'file' || node.type === 'hardlink') files.set(node.path, node)
  }
  const spool = createSpool(options.spoolDir)
  const bytes = await collectFiles(
    source,
    files.values(),
    (content, entry) => spool.add(content, entry.size),
    options,
  )
  return selected.map((one) => toMember(one, bytes))
}

function selectGlob(
  source: Rootfs,
  pattern: string,
  base: string,
  matches: PathFilter,
  { passes, follow }: Selection,
): Selected[] {
  const top = source.tree.resolve(base, { followLast: true })
  const wanted = (path: string): boolean => matches(path) && passes(path)
  return keepWithParents(walkTree(source.tree, top, follow ? wanted : undefined), wanted, false).map(
    ([path, node]) => ({
      path,
      node,
      pattern,
      found: 'glob',
      imagePath: joinPath(joinPath('/', base), path),
    }),
  )
}

function selectPath(source: Rootfs, pattern: string, selection: Selection): Selected[] {
  const { tree } = source
  const { passes, filtered, follow } = selection
  const found = tree.resolve(pattern, { followLast: pattern.endsWith('/') })
  const node = follow ? followNode(tree, found) : tree.get(found)
  const real = node?.path ?? found
  const imagePath = joinPath('/', pattern)
  if (real !== '' && (!node || node.type !== 'directory')) {
    if (!node || pattern.endsWith('/')) return []
    return [
      { path: imagePath.slice(imagePath.lastIndexOf('/') + 1), node, pattern, found: 'file', imagePath },
    ]
  }
  const kept = keepWithParents(walkTree(tree, real, follow ? passes : undefined), passes, filtered)
  const below = kept.map(([path, child]): Selected => {
    return { path, node: child, pattern, found: 'folder', imagePath: joinPath(imagePath, path) }
  })
  if (below.length === 0 && filtered) return []
  return node ? [{ path: '', node, pattern, found: 'folder', imagePath }, ...below] : below
}

/** What passes; with `parents` also the directories on the way, whose modes and owners are worth keeping. */
function keepWithParents(
  all: Iterable<WalkedNode>,
  passes: PathFilter,
  parents: boolean,
): (readonly [string, TreeNode])[] {
  const directories = new Map<string, TreeNode>()
  const kept = new Map<string, TreeNode>()
  for (const { path, node } of all) {
    if (node.type === 'directory') directories.set(path, node)
    if (!passes(path)) continue
    if (parents) {
      for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) {
        const directory = directories.get(parent)
        if (directory) kept.set(parent, directory)
      }
    }
    kept.set(path, node)
  }
  return [...kept]
}

function toMember({ node, ...where }: Selected, bytes: ReadonlyMap<string, FileSource>): ImageMember {
  const { mode, uid, gid, mtime } = node
  const common = { ...where, mode, uid, gid, mtime }
  if (node.type === 'directory') return { ...common, type: 'directory' }
  if (node.type === 'symlink' && node.target !== undefined) {
    return { ...common, type: 'symlink', target: node.target }
  }
  const source = bytes.get(node.path)
  if (source) return { ...common, type: 'file', source }
  throw new OciBuildError('OCB-IMAGE-FILE-REFUSED', {
    message:
      node.type === 'hardlink'
        ? `${where.imagePath} is a hard link in the image to "${node.target ?? ''}", which no layer has`
        : `${where.imagePath} is a ${node.type} in the image; only files, directories and links are copied`,
    hint: 'leave it out with exclude',
  })
}

function joinPath(directory: string, path: string): string {
  const parts = `${directory}/${path}`.split('/').filter((part) => part !== '' && part !== '.')
  return `/${parts.join('/')}`
}
