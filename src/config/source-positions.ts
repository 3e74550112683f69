/** Where each value of a YAML or JSON file stands, and how it looks there. */

import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
} from 'yaml'
import type { Path } from './fault.ts'

export interface Position {
  /** 1-based. */
  readonly line: number
  /** 1-based. */
  readonly column: number
}

export interface SourcePositions {
  /** Of the value, or of its key; of the nearest thing around it that is written there. */
  positionOf(path: Path, atKey?: boolean): Position | undefined
  /** A scalar's text as it stands in the file. */
  sourceOf(path: Path): string | undefined
}

export interface ParsedYaml extends SourcePositions {
  readonly value: unknown
  readonly errors: readonly (Position & { readonly message: string })[]
}

/** Parses YAML 1.2 (and so JSON) with merge keys (`<<`); what is wrong with it is in `errors`. */
export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter()
  const document: Document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false })
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const errors = document.errors.map((error) => ({ message: error.message, ...positionAt(error.pos[0]) }))
  let value: unknown
  if (errors.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: 1000 })
    } catch (error) {
      errors.push({ message: error instanceof Error ? error.message : String(error), line: 1, column: 1 })
    }
  }
  return {
    value,
    errors,
    positionOf(path, atKey) {
      const { key, node } = find(document, path)
      const offset = (atKey ? (key ?? node) : node)?.range?.[0]
      return offset === undefined ? undefined : positionAt(offset)
    },
    sourceOf(path) {
      const { node, whole } = find(document, path)
      return whole && isScalar(node) && typeof node.source === 'string' ? node.source : undefined
    },
  }
}

interface Found {
  readonly key?: Node | undefined
  readonly node?: Node | undefined
  /** The whole path was found, not only a part of it. */
  readonly whole: boolean
}

function find(document: Document, path: Path): Found {
  let found: Found = { node: document.contents ?? undefined, whole: true }
  for (const step of path) {
    const next = child(document, found.node, step)
    if (next === undefined) return { ...found, whole: false }
    found = next
  }
  return found
}

function child(document: Document, node: Node | undefined, step: string | number): Found | undefined {
  const target = isAlias(node) ? node.resolve(document) : node
  if (isSeq(target) && typeof step === 'number') {
    const item: unknown = target.items[step]
    return isNode(item) ? { node: item, whole: true } : undefined
  }
  if (!isMap(target)) return undefined
  for (const pair of target.items) {
    if (!isPair(pair) || !isScalar(pair.key) || String(pair.key.value) !== String(step)) continue
    return { key: pair.key, node: isNode(pair.value) ? pair.value : pair.key, whole: true }
  }
  // What an anchor brought in through a merge key stands where the anchor is.
  for (const pair of target.items) {
    if (!isPair(pair) || !isScalar(pair.key) || !isMergeKey(pair.key.value)) continue
    const sources = isSeq(pair.value) ? pair.value.items : [pair.value]
    for (const source of sources) {
      const found = isNode(source) ? child(document, source, step) : undefined
      if (found) return found
    }
  }
  return undefined
}

// The parser reads the key `<<` as a symbol.
function isMergeKey(value: unknown): boolean {
  return value === '<<' || (typeof value === 'symbol' && value.description === '<<')
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value)
}
