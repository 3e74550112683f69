/** The packages of a monorepo: what `workspaces` of package.json, or pnpm-workspace.yaml, names. */

import { readFileSync, realpathSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { isPlainObject } from '../../config/check-shape.ts'
import { messageOf, OciBuildError, systemErrorCode } from '../../errors.ts'
import { compileGlobs } from '../../plan/glob-rules.ts'
import { readDirectory } from '../../plan/host-file.ts'
import { allMatches, mayMatchBelow, type Rule } from '../../plan/rules.ts'
import { readManifest, type Manifest } from './manifest.ts'

export interface WorkspacePackage {
  /** Absolute, links followed. */
  readonly folder: string
  /** Below the root, with `/`. */
  readonly path: string
  readonly manifest: Manifest
}

/** The globs of a folder's workspaces; undefined where it has none. Throws `OCB-NODE-WORKSPACES`. */
export async function workspaceGlobs(
  folder: string,
  manifest: Manifest | undefined,
): Promise<readonly string[] | undefined> {
  return (await pnpmGlobs(folder)) ?? manifest?.workspaces
}

/** All packages that the globs name, by path. `root` is absolute, links followed. */
export function findWorkspaces(root: string, globs: readonly string[]): readonly WorkspacePackage[] {
  // `.` is the root itself, which is no workspace of its own.
  const named = globs.filter((glob) => !/^(?:\.?\/)*\.?$/.test(glob))
  const rules = compileGlobs(named, 'workspaces', 'package.json')
  const found: WorkspacePackage[] = []
  const visit = (folder: string): void => {
    for (const entry of readDirectory(folder)) {
      if (!entry.isDirectory() || entry.name === 'node_modules' || entry.name.startsWith('.')) continue
      const path = join(folder, entry.name)
      const below = relative(root, path).split(sep).join('/')
      if (isNamed(rules, below)) {
        const manifest = readManifest(path)
        if (manifest !== undefined) found.push({ folder: realpathSync(path), path: below, manifest })
      }
      if (rules.some((rule) => !rule.negated && mayMatchBelow(rule, below))) visit(path)
    }
  }
  visit(root)
  return found.sort((one, other) => (one.path < other.path ? -1 : 1))
}

/** `!glob` takes back what an earlier one named; a glob names folders, not all that is in them. */
function isNamed(rules: readonly Rule[], path: string): boolean {
  return rules[allMatches(rules, path, undefined).lastIndexOf(1)]?.negated === false
}

async function pnpmGlobs(folder: string): Promise<readonly string[] | undefined> {
  const path = join(folder, 'pnpm-workspace.yaml')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return undefined
    throw unreadable(path, error)
  }
  const { parse } = await import('yaml')
  let value: unknown
  try {
    value = parse(text)
  } catch (error) {
    throw unreadable(path, error)
  }
  // The file may hold settings alone.
  const globs: unknown = isPlainObject(value) ? value['packages'] : undefined
  return Array.isArray(globs) ? globs.filter((glob) => typeof glob === 'string') : undefined
}

function unreadable(path: string, error: unknown): OciBuildError {
  return new OciBuildError('OCB-NODE-WORKSPACES', {
    message: `cannot read ${path}: ${messageOf(error)}`,
    hint: 'repair the file; it names the packages of the workspace',
    cause: error,
  })
}
