/** What git does not keep and images are made of (`dist`, `node_modules`): what decides it stands in its place. */

import { existsSync, lstatSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { pathBelow, type Input } from './input.ts'
import { installInputs, lockfiles, packageInputs, projectAt } from './package-reach.ts'

/**
 * The inputs of inputs that git ignores, or that a build is still to make: of dependencies the lockfiles, of all else
 * the package in whose folder it lies, with the workspace packages that this one uses. `top` is the work tree's root.
 */
export async function madeInputs(
  inputs: readonly Input[],
  ignored: readonly string[],
  top: string,
): Promise<readonly Input[]> {
  const hidden = ignored.map((path) => join(top, path))
  const found = new Map<string, Input>()
  for (const input of inputs) {
    for (const made of madePaths(input, hidden)) {
      for (const one of await inputsBehind(made, top)) found.set(`${one.root} ${one.what}`, one)
    }
  }
  return Array.from(found.values())
}

/** Those of the paths that an input takes or lies in; its own where it is not there. */
function madePaths(input: Input, hidden: readonly string[]): readonly string[] {
  if (input.optional === true) return []
  const missing = lstatSync(input.root, { throwIfNoEntry: false }) === undefined
  const around = hidden.filter((path) => pathBelow(path, input.root) !== undefined)
  if (around.length > 0 || missing) return [around[0] ?? input.root]
  return hidden.filter((path) => {
    const below = pathBelow(input.root, path)
    return below !== undefined && (input.takes?.(below) ?? true)
  })
}

async function inputsBehind(made: string, top: string): Promise<readonly Input[]> {
  const names = made.split(sep)
  const installed = names.indexOf('node_modules')
  if (installed !== -1) return installInputs(rootOfInstall(names.slice(0, installed).join(sep), top))
  const owner = nearestPackage(dirname(made.endsWith(sep) ? made.slice(0, -1) : made), top)
  const what = `the package that ${pathBelow(top, made) ?? made} is made in`
  const project = await projectAt(owner)
  return project === undefined ? [{ root: owner, what }] : packageInputs(project, what)
}

/** A workspace package's dependencies are installed by the lockfile of the monorepo. */
function rootOfInstall(folder: string, top: string): string {
  for (let at = folder; pathBelow(top, at) !== undefined; at = dirname(at)) {
    if (lockfiles.some((name) => existsSync(join(at, name)))) return at
    if (at === dirname(at)) break
  }
  return folder
}

/** The nearest folder with a package.json, up to the top of the work tree. */
function nearestPackage(folder: string, top: string): string {
  for (let at = folder; pathBelow(top, at) !== undefined; at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return at
    if (at === top) break
  }
  return pathBelow(top, folder) === undefined ? folder : top
}
