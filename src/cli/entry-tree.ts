/** The entries of a layer as a tree of names, cut short where it is long. */

import type { PlannedEntryView } from '../build-types.ts'
import { formatBytes, formatCount } from './format.ts'
import type { Paint } from './paint.ts'
import { printable } from './printable.ts'

export interface EntryTreeOptions {
  readonly all: boolean
  readonly indent: string
  readonly paint: Paint
}

interface Node {
  readonly name: string
  entry: PlannedEntryView | undefined
  readonly children: Map<string, Node>
  files: number
  bytes: number
}

/** In each folder at most this many names are shown. */
const shownPerFolder = 8
/** Folders this deep below the first fork are summed up. */
const shownDepth = 3

/** One line a name; folders that only lead to one other are drawn as one path. */
export function formatEntries(
  entries: readonly PlannedEntryView[],
  options: EntryTreeOptions,
): readonly string[] {
  if (options.all) return entries.map((entry) => options.indent + formatFull(entry, options.paint))
  const root: Node = createNode('')
  for (const entry of entries) insert(root, entry)
  return formatChildren(root, options, options.indent, 0)
}

function createNode(name: string): Node {
  return { name, entry: undefined, children: new Map(), files: 0, bytes: 0 }
}

function insert(root: Node, entry: PlannedEntryView): void {
  const counts = entry.type === 'file' || entry.type === 'hardlink'
  let node = root
  for (const part of entry.path.split('/').filter((text) => text !== '')) {
    let child = node.children.get(part)
    if (child === undefined) {
      child = createNode(printable(part))
      node.children.set(part, child)
    }
    node = child
    if (counts) {
      node.files += 1
      node.bytes += entry.size
    }
  }
  // An opaque marker stands beside its directory.
  if (node.entry === undefined || node.entry.type === 'directory') node.entry = entry
}

function formatChildren(node: Node, options: EntryTreeOptions, indent: string, depth: number): string[] {
  const children = [...node.children.values()]
  // A list with one name left out is no shorter than the list.
  const shown = children.length <= shownPerFolder + 1 ? children : children.slice(0, shownPerFolder)
  const lines = shown.flatMap((child) => formatNode(child, options, indent, depth))
  const left = children.slice(shown.length)
  if (left.length > 0) {
    const files = left.reduce((sum, child) => sum + child.files, 0)
    const bytes = left.reduce((sum, child) => sum + child.bytes, 0)
    const text = `… ${left.length} more (${formatCount(files, 'file')}, ${formatBytes(bytes)}; --all shows all)`
    lines.push(indent + options.paint('dim', text))
  }
  return lines
}

function formatNode(start: Node, options: EntryTreeOptions, indent: string, depth: number): string[] {
  const { paint } = options
  let node = start
  let name = `${depth === 0 ? '/' : ''}${node.name}`
  while (node.children.size === 1 && isPlainDirectory(node)) {
    const [only] = node.children.values()
    if (only === undefined) break
    node = only
    name += `/${node.name}`
  }
  if (node.children.size === 0) return [`${indent}${formatLeaf(name, node.entry, paint)}`]
  const opaque = node.entry?.type === 'opaque' ? ` ${paint('yellow', 'opaque')}` : ''
  const facts = paint('dim', `${formatCount(node.files, 'file')}, ${formatBytes(node.bytes)}`)
  const line = `${indent}${name}/${opaque}  ${facts}`
  if (depth + 1 >= shownDepth) return [line]
  return [line, ...formatChildren(node, options, `${indent}  `, depth + 1)]
}

function isPlainDirectory(node: Node): boolean {
  return node.entry === undefined || node.entry.type === 'directory'
}

function formatLeaf(name: string, entry: PlannedEntryView | undefined, paint: Paint): string {
  switch (entry?.type) {
    case 'file':
      return `${name}  ${paint('dim', formatBytes(entry.size))}`
    case 'symlink':
      return `${name} -> ${printable(entry.target ?? '')}`
    case 'hardlink':
      return `${name} = ${printable(entry.target ?? '')}`
    case 'whiteout':
      return `${name}  ${paint('yellow', 'removed')}`
    case 'opaque':
      return `${name}/  ${paint('yellow', 'opaque')}`
    default:
      return `${name}/`
  }
}

const letters = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  hardlink: 'h',
  whiteout: 'w',
  opaque: 'o',
} as const

function formatFull(entry: PlannedEntryView, paint: Paint): string {
  const { type, mode, uid, gid, size, path, target, source, origin } = entry
  const owner = `${uid}:${gid}`.padEnd(9)
  const bytes = (type === 'file' ? formatBytes(size) : '').padStart(9)
  const link = target === undefined ? '' : ` ${type === 'symlink' ? '->' : '='} ${printable(target)}`
  const from = source ?? origin
  const note = from === undefined ? '' : `  ${paint('dim', `< ${printable(from)}`)}`
  return `${letters[type]} ${mode.padStart(4, '0')} ${owner} ${bytes}  ${printable(path)}${link}${note}`
}
