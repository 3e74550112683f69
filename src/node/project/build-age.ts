/** Whether a build's output is older than what it was made of. */

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { readDirectory } from '../../plan/host-file.ts'
import { outputFolders } from './app-files.ts'
import type { Project } from './detect-project.ts'

export interface StaleBuild {
  /** Below the package's folder. */
  readonly output: string
  /** A source that was changed after it. */
  readonly source: string
}

/** Folders where sources lie. */
const sourceFolders = ['src', 'app', 'pages', 'lib', 'server', 'components', 'routes']

/** Compares the newest file of the output that holds `entry` with the newest source; undefined where all is well. */
export function findStaleBuild(project: Project, entry: string | undefined): StaleBuild | undefined {
  const output = entry?.split('/')[0] ?? ''
  if (project.manifest.scripts['build'] === undefined || !outputFolders.includes(output)) return undefined
  const built = newest(project.folder, output)
  if (built === undefined) return undefined
  for (const folder of sourceFolders) {
    const source = newest(project.folder, folder)
    if (source !== undefined && source.mtimeMs > built.mtimeMs) return { output, source: source.path }
  }
  return undefined
}

interface Newest {
  readonly path: string
  readonly mtimeMs: number
}

function newest(root: string, path: string): Newest | undefined {
  const stats = statSync(join(root, path), { throwIfNoEntry: false })
  if (stats?.isFile() === true) return { path, mtimeMs: stats.mtimeMs }
  if (stats?.isDirectory() !== true) return undefined
  let found: Newest | undefined
  for (const entry of readDirectory(join(root, path))) {
    if (entry.name === 'node_modules' || entry.name.startsWith('.') || entry.isSymbolicLink()) continue
    const inner = newest(root, `${path}/${entry.name}`)
    if (inner !== undefined && (found === undefined || inner.mtimeMs > found.mtimeMs)) found = inner
  }
  return found
}
