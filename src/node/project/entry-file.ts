/** Files that a command names: found as Node.js finds its program, with and without the ending. */

import { statSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'
import { OciBuildError } from '../../errors.ts'
import { hasScriptHeader } from './file-head.ts'
import type { ClosurePackage } from './dependency-closure.ts'
import type { Project } from './detect-project.ts'

/**
 * The program of the package that a word names, below its folder. Throws `OCB-NODE-NOT-BUILT` where a build would make
 * it, else `OCB-NODE-ENTRY-MISSING`.
 */
export function findEntry(project: Project, text: string): string {
  const found = isInside(text) ? resolveFile(project.folder, text) : undefined
  if (found !== undefined) return found
  const hasBuild = project.manifest.scripts['build'] !== undefined
  if (isInside(text) && hasBuild) throw notBuilt(project, text, 'package')
  throw new OciBuildError('OCB-NODE-ENTRY-MISSING', {
    message: `${project.folder} is started with ${text}, ${isInside(text) ? 'which is not there' : 'which lies outside of it'}`,
    hint: "correct it, or name the file to run with node: { entry: 'FILE' }",
  })
}

/** nodejs.org/api/modules, LOAD_AS_FILE and LOAD_AS_DIRECTORY: the path below `folder`, with `/`. */
export function resolveFile(folder: string, text: string): string | undefined {
  const clean = posix.normalize(text.replaceAll('\\', '/')).replace(/\/$/, '')
  const names = [clean, `${clean}.js`, `${clean}.json`, `${clean}/index.js`, `${clean}/index.cjs`]
  return names.find((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true)
}

/** Whether a path stays in the folder that it is relative to. */
export function isInside(path: string): boolean {
  const clean = posix.normalize(path.replaceAll('\\', '/'))
  return !clean.startsWith('/') && clean !== '..' && !clean.startsWith('../') && !/^[A-Za-z]:/.test(clean)
}

/** A dependency's program as Node.js can run it, from the app's folder; undefined for what is no script of Node.js. */
export function resolveBin(
  appFolder: string,
  nodeModules: string,
  { name, folder }: ClosurePackage,
  bin: string,
): string | undefined {
  const file = resolveFile(folder, bin)
  if (file === undefined) return undefined
  if (!/\.[cm]?js$/.test(file) && !hasScriptHeader(join(folder, file))) return undefined
  return relative(appFolder, join(nodeModules, name, file))
    .split(sep)
    .join('/')
}

/** A build has not run: what it writes is not there. */
export function notBuilt(project: Project, missing: string, what: string): OciBuildError {
  const build =
    project.manifest.scripts['build'] === undefined ? undefined : `${project.manager.name} run build`
  return new OciBuildError('OCB-NODE-NOT-BUILT', {
    message: `${project.folder} is a ${what} whose build has not run: there is no ${missing}`,
    hint:
      build === undefined
        ? 'run its build first, or add the command to prepare'
        : `run ${build}, or add it: prepare: ['${build}']`,
  })
}
