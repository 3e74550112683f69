import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

// Floors of src/README.md: a file imports from its own room and from lower floors only.
const floors: Readonly<Record<string, number>> = {
  errors: 0,
  'package-file': 0,
  events: 0,
  environment: 0,
  spec: 1,
  tar: 1,
  deflate: 1,
  content: 2,
  layout: 3,
  archive: 3,
  registry: 3,
  config: 3,
  rootfs: 3,
  cache: 4,
  plan: 4,
  node: 5,
  affected: 6,
  layer: 6,
  image: 7,
  inspect: 8,
  'open-target': 8,
  'open-registry': 7,
  'build-types': 8,
  transfer: 9,
  lock: 9,
  pipeline: 10,
  build: 11,
  index: 12,
  cli: 13,
}

const src = resolve(import.meta.dirname, '../src')

function filesBelow(folder: string): string[] {
  // AssemblyScript is no part of the house: it becomes one module.
  if (relative(src, folder) === join('deflate', 'assembly')) return []
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return filesBelow(path)
    return name.endsWith('.ts') ? [path] : []
  })
}

/** `cli/build.ts` is of the room `cli`, `errors.ts` of the room `errors`. */
function roomOf(path: string): string {
  const [first = ''] = relative(src, path).split('/')
  return first.replace(/\.ts$/, '')
}

interface Import {
  readonly from: string
  readonly to: string
  /** Types are erased: they cannot make a room depend on another at run time. */
  readonly typeOnly: boolean
}

function importsOf(path: string): Import[] {
  const text = readFileSync(path, 'utf8')
  const found: Import[] = []
  for (const match of text.matchAll(
    /(?:^import\s+(type\s)?[^'"]*?from\s+|^export\s+(type\s)?[^'"]*?from\s+|import\()['"](\.[^'"]+)['"]/gms,
  )) {
    const [, importType, exportType, to = ''] = match
    found.push({ from: path, to: resolve(dirname(path), to), typeOnly: Boolean(importType ?? exportType) })
  }
  return found
}

const files = filesBelow(src)

describe('the floors of the house', () => {
  it('hold every room', () => {
    const unknown = files.filter((path) => floors[roomOf(path)] === undefined)
    expect(unknown.map((path) => relative(src, path))).toEqual([])
  })

  it('are climbed downwards only', () => {
    const broken = files.flatMap(importsOf).filter(({ from, to }) => {
      const [own, other] = [roomOf(from), roomOf(to)]
      return own !== other && (floors[own] ?? 0) <= (floors[other] ?? 0)
    })
    const chains = broken.map(
      ({ from, to, typeOnly }) =>
        `${relative(src, from)} -> ${relative(src, to)}${typeOnly ? ' (types)' : ''}`,
    )
    expect(chains).toEqual([])
  })

  it('leave sockets, clocks, variables and standard streams to the rooms that own them', () => {
    const owners: readonly (readonly [RegExp, RegExp])[] = [
      [/from 'node:(?:net|tls|http|https|http2|dgram)'|import\('undici'\)/, /^(?:registry|archive)\//],
      [/from 'node:crypto'/, /^content\/hash\.ts$/],
      [/from 'node:zlib'/, /^content\//],
      [/from 'node:worker_threads'|WebAssembly\./, /^deflate\//],
      [/process\.env\b|Date\.now\(\)|performance\.now\(\)/, /^environment\.ts$/],
      [/process\.(?:argv|stdout|stderr|exit\b|exitCode)|console\./, /^cli(?:\.ts|\/)/],
    ]
    const broken = files.flatMap((path) => {
      const name = relative(src, path)
      const text = readFileSync(path, 'utf8').replaceAll(/\/\*\*?[\s\S]*?\*\/|\/\/.*$/gm, '')
      return owners
        .filter(([use, owner]) => use.test(text) && !owner.test(name))
        .map(([use]) => `${name}: ${use.source}`)
    })
    expect(broken).toEqual([])
  })
})
