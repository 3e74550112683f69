/** Programs of locked packages: the file that a command of a start script is. */

import { dirname, join, posix, relative, sep } from 'node:path'
import type { ClosurePackage } from '../project/dependency-closure.ts'
import type { Project } from '../project/detect-project.ts'
import { isBelow } from '../project/installed-tree.ts'
import { binPath, type FindBin } from '../project/start-command.ts'
import type { LockedInstall } from './locked-install.ts'
import type { PackageFile } from './package-files.ts'
import { readSource } from './read-source.ts'

/** Nearest first, as Node.js is found by the shell that npm starts. */
export function lockedBinFinder(
  project: Project,
  { closure }: LockedInstall,
  files: ReadonlyMap<string, readonly PackageFile[]>,
): FindBin {
  return (command) => {
    for (const [nodeModules, packages] of closure.taken) {
      if (!isBelow(dirname(nodeModules), project.folder)) continue
      for (const [name, item] of packages) {
        const path = programOf(project, nodeModules, name, item, command, files)
        if (path !== undefined) return { path, package: item }
      }
    }
    return undefined
  }
}

function programOf(
  project: Project,
  nodeModules: string,
  name: string,
  item: ClosurePackage,
  command: string,
  files: ReadonlyMap<string, readonly PackageFile[]>,
): string | undefined {
  const own = files.get(relative(project.root, item.folder).split(sep).join('/'))
  // A package of the monorepo lies on disk.
  if (own === undefined) return binPath(project, nodeModules, item, command)
  const bin = item.manifest?.bin[command]
  if (bin === undefined) return undefined
  const clean = posix.join('/', bin.replaceAll('\\', '/')).slice(1)
  const wanted = [clean, `${clean}.js`, `${clean}/index.js`]
  const found = wanted.flatMap(
    (path) => own.find((file) => file.path === path && file.type === 'file') ?? [],
  )[0]
  if (found === undefined || !isScript(found)) return undefined
  return relative(project.folder, join(nodeModules, name, found.path))
    .split(sep)
    .join('/')
}

function isScript({ path, source }: PackageFile): boolean {
  if (/\.[cm]?js$/.test(path)) return true
  if (source === undefined) return false
  const line = readSource(source).subarray(0, 128).toString('latin1').split('\n', 1)[0] ?? ''
  return /^#!.*\bnode\b/.test(line)
}
