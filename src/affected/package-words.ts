/** The package.json beside a config: names, versions and labels of images come from it. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isPlainObject } from '../config/check-shape.ts'
import { encodeJson } from '../spec/json.ts'
import type { WorkTree } from './changed-paths.ts'
import type { AffectedReason } from './find-affected.ts'
import { pathBelow, realParents } from './input.ts'

/** What is said for package managers and developers; where it matters to an image, the lockfile moves too. */
const otherWords: ReadonlySet<string> = new Set([
  'scripts',
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'workspaces',
  'overrides',
  'resolutions',
  'packageManager',
  'engines',
  'devEngines',
  'pnpm',
])

/** A reason for every image where the package.json in `folder` says something else of the package than it did. */
export async function packageWordsReason(folder: string, tree: WorkTree): Promise<readonly AffectedReason[]> {
  const file = realParents(join(folder, 'package.json'))
  const path = pathBelow(tree.root, file)
  if (path === undefined || !tree.changed.includes(path)) return []
  if (wordsOf(await tree.textThen(path)) === wordsOf(textOf(file))) return []
  return [{ path, because: 'what the config is told of the package' }]
}

/** The words that count, as text; '' where there are none that can be read. */
function wordsOf(text: string | undefined): string {
  if (text === undefined) return ''
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    if (!isPlainObject(value)) return ''
    const words = Object.entries(value).filter(([key]) => !otherWords.has(key))
    return Buffer.from(encodeJson(Object.fromEntries(words))).toString('utf8')
  } catch {
    return ''
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
