/** A folder as data: what a reader of an image made of it, or what it should have. */

import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createHash } from 'node:crypto'

/** `file 0644 0:0 @1234 sha256…`, `directory 0755 0:0 @0`, `symlink 0:0 @0 -> target`, by path without a leading slash. */
export type FileTree = ReadonlyMap<string, string>

export interface TreeNode {
  readonly type: 'file' | 'directory' | 'symlink'
  /** Permission bits with setuid, setgid and sticky; not of symlinks. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Whole seconds; undefined: not compared. */
  readonly mtime: number | undefined
  /** Of a file. */
  readonly content?: Uint8Array | undefined
  /** Of a symlink. */
  readonly target?: string | undefined
}

export function describeNode(node: TreeNode): string {
  const owner = `${node.uid}:${node.gid}`
  const time = node.mtime === undefined ? '' : ` @${node.mtime}`
  if (node.type === 'symlink') return `symlink ${owner}${time} -> ${node.target ?? ''}`
  const mode = node.mode.toString(8).padStart(4, '0')
  const digest =
    node.content === undefined ? '' : ` ${createHash('sha256').update(node.content).digest('hex')}`
  return `${node.type} ${mode} ${owner}${time}${digest}`
}

export interface ReadTreeOptions {
  /** Default true. */
  readonly times?: boolean | undefined
  /** Default true; false where this process may not set owners. */
  readonly owners?: boolean | undefined
}

/** Reads everything below a folder, links not followed; names are read as bytes and must be UTF-8. */
export function readTree(root: string, options: ReadTreeOptions = {}): FileTree {
  const tree = new Map<string, string>()
  const visit = (path: string): void => {
    for (const name of readdirSync(join(root, path)).sort()) {
      const below = path === '' ? name : `${path}/${name}`
      const full = join(root, below)
      const stats = lstatSync(full)
      const type = stats.isSymbolicLink() ? 'symlink' : stats.isDirectory() ? 'directory' : 'file'
      const node: TreeNode = {
        type,
        mode: stats.mode & 0o7777,
        uid: options.owners === false ? 0 : stats.uid,
        gid: options.owners === false ? 0 : stats.gid,
        mtime: options.times === false ? undefined : Math.floor(stats.mtimeMs / 1000),
        ...(type === 'file' && { content: readFileSync(full) }),
        ...(type === 'symlink' && { target: readlinkSync(full) }),
      }
      tree.set(below, describeNode(node))
      if (type === 'directory') visit(below)
    }
  }
  visit('')
  return tree
}

/** The second that a regular file with this content has by default (contract, Times); computed here on its own. */
export function contentSecond(content: Uint8Array): number {
  const head = createHash('sha256').update(content).digest().readUIntBE(0, 6)
  return 315_532_800 + (head % 946_771_200)
}
