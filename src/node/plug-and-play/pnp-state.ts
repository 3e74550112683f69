/** Yarn Plug'n'Play's `.pnp.cjs`: the data in it read, and written anew (yarnpkg.com, PnP Specification). */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isPlainObject } from '../../config/check-shape.ts'
import { messageOf, OciBuildError } from '../../errors.ts'

/** A name of `packageDependencies`, with the reference it is found by; null for a peer that nobody gives. */
export type PnpDependency = readonly [name: string, target: string | readonly [string, string] | null]

export interface PnpPackage {
  /** null for the root of the project. */
  readonly name: string | null
  readonly reference: string | null
  /** Relative to the project's root; it ends in `/`. */
  readonly location: string
  readonly dependencies: readonly PnpDependency[]
  /** `SOFT`: it lies where somebody works on it, as workspaces do. */
  readonly isSoft: boolean
  /** As it stands, for writing. */
  readonly words: Readonly<Record<string, unknown>>
}

export interface PnpState {
  readonly packages: readonly PnpPackage[]
  /** Files of the image, by name, with the data of these packages and no others. */
  format(packages: readonly PnpPackage[]): ReadonlyMap<string, Uint8Array>
}

const dataFile = '.pnp.data.json'
/** What stands before the data in the program, and the string that it is. */
const inlined = /(\bRAW_RUNTIME_STATE\s*=\s*)'((?:[^'\\]|\\[\s\S])*)'/

/** Throws `OCB-NODE-PNP`. */
export function readPnpState(root: string): PnpState {
  const program = read(root, '.pnp.cjs')
  const found = inlined.exec(program)
  const text = found?.[2] === undefined ? read(root, dataFile) : unquote(found[2])
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (error) {
    throw unreadable(root, messageOf(error), error)
  }
  if (!isPlainObject(data)) throw unreadable(root, 'its data are no object')
  const words = data
  return {
    packages: packagesOf(words['packageRegistryData'], root),
    format(packages) {
      const written = JSON.stringify({
        ...words,
        dependencyTreeRoots: rootsOf(packages),
        fallbackExclusionList: onlyOf(words['fallbackExclusionList'], packages),
        packageRegistryData: registryOf(packages),
      })
      const encoder = new TextEncoder()
      const isInlined = found !== null
      // A function, since `$` in a replacement means something.
      const changed = isInlined
        ? program.replace(inlined, (_, before: string) => before + quote(written))
        : program
      const files = new Map([['.pnp.cjs', encoder.encode(changed)]])
      return isInlined ? files : files.set(dataFile, encoder.encode(written))
    },
  }
}

function packagesOf(value: unknown, root: string): readonly PnpPackage[] {
  return pairs(value, root).flatMap(([name, versions]) =>
    pairs(versions, root).map(([reference, words]): PnpPackage => {
      if (!isPlainObject(words) || typeof words['packageLocation'] !== 'string') {
        throw unreadable(root, `${String(name)} has no packageLocation`)
      }
      return {
        name: typeof name === 'string' ? name : null,
        reference: typeof reference === 'string' ? reference : null,
        location: words['packageLocation'],
        dependencies: pairs(words['packageDependencies'] ?? [], root).flatMap(([key, target]) =>
          typeof key === 'string' ? [[key, targetOf(target)] as const] : [],
        ),
        isSoft: words['linkType'] === 'SOFT',
        words,
      }
    }),
  )
}

function targetOf(value: unknown): PnpDependency[1] {
  if (typeof value === 'string') return value
  const [name, reference]: readonly unknown[] = Array.isArray(value) ? value : []
  return typeof name === 'string' && typeof reference === 'string' ? [name, reference] : null
}

function pairs(value: unknown, root: string): readonly (readonly [unknown, unknown])[] {
  if (!Array.isArray(value)) throw unreadable(root, 'a list is missing in its data')
  return value.map((item: unknown) => {
    const [first, second]: readonly unknown[] = Array.isArray(item) ? item : []
    return [first, second]
  })
}

function registryOf(packages: readonly PnpPackage[]): readonly unknown[] {
  const byName = new Map<string | null, unknown[]>()
  for (const { name, reference, location, dependencies, words } of packages) {
    const item = { ...words, packageLocation: location, packageDependencies: dependencies }
    byName.set(name, [...(byName.get(name) ?? []), [reference, item]])
  }
  return [...byName]
}

function rootsOf(packages: readonly PnpPackage[]): readonly object[] {
  return packages
    .filter(({ name, reference }) => name !== null && reference?.startsWith('workspace:') === true)
    .map(({ name, reference }) => ({ name, reference }))
}

/** Of a list of names with references, those of the packages. */
function onlyOf(list: unknown, packages: readonly PnpPackage[]): readonly unknown[] {
  const names = new Set(packages.map(({ name }) => name))
  return (Array.isArray(list) ? list : []).filter(
    (item: unknown) => Array.isArray(item) && names.has(item[0]),
  )
}

/** A string of JavaScript in single quotes, with lines that end in a backslash. */
function unquote(text: string): string {
  return text.replace(/\\(\r?\n|[\s\S])/g, (_, escaped: string) => (escaped.endsWith('\n') ? '' : escaped))
}

function quote(text: string): string {
  return `'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`
}

function read(root: string, name: string): string {
  try {
    return readFileSync(join(root, name), 'utf8')
  } catch (error) {
    throw unreadable(root, messageOf(error), error)
  }
}

function unreadable(root: string, why: string, cause?: unknown): OciBuildError {
  return new OciBuildError('OCB-NODE-PNP', {
    message: `cannot read ${join(root, '.pnp.cjs')} as Yarn 3.2 and later write it: ${why}`,
    hint: 'run yarn install with such a Yarn, or set "nodeLinker: node-modules" in .yarnrc.yml',
    cause,
  })
}
