/** How a project's pnpm lays out node_modules: `.npmrc`, pnpm-workspace.yaml, and which pnpm it is. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isPlainObject } from '../../config/check-shape.ts'
import { readPackageJson } from '../../config/package-json.ts'
import type { Project } from '../project/detect-project.ts'
import { installInstead, unsupported } from './lockfile-error.ts'
import type { NpmSettings } from './npmrc.ts'

export interface PnpmSettings {
  /** 9 or 10: they cut long names differently, and 9 hoists two kinds of tools to the top. */
  readonly major: 9 | 10
  /** Whether a name is linked at the top, in pnpm's own folder, or not at all. */
  hoistOf(alias: string): 'public' | 'private' | undefined
  readonly hoistsWorkspaces: boolean
}

/** Throws `OCB-NODE-LOCKFILE-UNSUPPORTED` for a layout that is not the isolated one at its usual place. */
export async function readPnpmSettings(project: Project, npm: NpmSettings): Promise<PnpmSettings> {
  const { root, rootManifest } = project
  const workspace = await readWorkspaceFile(root)
  const lists = (key: string): readonly string[] | undefined => {
    const own = workspace[key.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())]
    if (Array.isArray(own)) return own.filter((item) => typeof item === 'string')
    if (own !== undefined && own !== null) return [String(own)]
    const values = npm.list(key)
    return values.length === 0 ? undefined : values
  }
  const one = (key: string): string | undefined => lists(key)?.at(-1)
  const linker = one('node-linker')
  if (linker !== undefined && linker !== 'isolated') {
    throw unsupported(`node-linker of pnpm is "${linker}"; wanted isolated`, installInstead)
  }
  for (const [key, usual] of [
    ['virtual-store-dir', 'node_modules/.pnpm'],
    ['modules-dir', 'node_modules'],
    ['enable-global-virtual-store', 'false'],
    ['dedupe-direct-deps', 'false'],
    ['symlink', 'true'],
  ] as const) {
    const value = one(key)?.replace(/^\.\//, '')
    if (value === undefined || value === usual) continue
    throw unsupported(`${key} of pnpm is "${value}"; wanted ${usual}`, installInstead)
  }
  const named = /^pnpm@(\d+)\./.exec(rootManifest.packageManager ?? '')?.[1] ?? majorOfEngines(root)
  const major = named === '9' ? 9 : 10
  const usualPublic = major === 9 ? ['*eslint*', '*prettier*'] : []
  const isShameful = one('shamefully-hoist') === 'true'
  const isPublic = matcher(isShameful ? ['*'] : (lists('public-hoist-pattern') ?? usualPublic))
  const isPrivate = matcher(one('hoist') === 'false' ? [] : (lists('hoist-pattern') ?? ['*']))
  return {
    major,
    hoistOf: (alias) => (isPublic(alias) ? 'public' : isPrivate(alias) ? 'private' : undefined),
    hoistsWorkspaces: one('hoist-workspace-packages') !== 'false',
  }
}

/** Of `devEngines.packageManager`, where the first number of its range is the major. */
function majorOfEngines(root: string): string | undefined {
  const engines = readPackageJson(root)?.['devEngines']
  const manager: unknown = isPlainObject(engines) ? engines['packageManager'] : undefined
  for (const item of Array.isArray(manager) ? manager : [manager]) {
    if (!isPlainObject(item) || item['name'] !== 'pnpm') continue
    return /\d+/.exec(String(item['version']))?.[0]
  }
  return undefined
}

/** `*` stands for anything, `/` too; what a later `!…` names is left out. */
function matcher(patterns: readonly string[]): (name: string) => boolean {
  const rules = patterns
    .filter((pattern) => pattern !== '')
    .map((pattern) => {
      const negated = pattern.startsWith('!')
      const parts = (negated ? pattern.slice(1) : pattern).split('*')
      return {
        negated,
        expression: new RegExp(
          `^${parts.map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`,
        ),
      }
    })
  const onlyNegated = rules.length > 0 && rules.every(({ negated }) => negated)
  return (name) =>
    rules.reduce((found, { negated, expression }) => (expression.test(name) ? !negated : found), onlyNegated)
}

/** What cannot be read is told of where the workspace's packages are looked for. */
async function readWorkspaceFile(root: string): Promise<Readonly<Record<string, unknown>>> {
  let text: string
  try {
    text = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')
  } catch {
    return {}
  }
  const { parse } = await import('yaml')
  const value: unknown = parse(text)
  return isPlainObject(value) ? value : {}
}
