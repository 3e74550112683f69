/** What kind of Node.js project lies in a folder: its package, the monorepo around it, who installs it. */

import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { nearest } from '../../config/nearest.ts'
import { OciBuildError } from '../../errors.ts'
import { readManifest, type Manifest } from './manifest.ts'
import { findPackageManager, type PackageManager } from './package-manager.ts'
import { findWorkspaces, workspaceGlobs, type WorkspacePackage } from './workspaces.ts'

export interface Project {
  /** Absolute, links followed: the monorepo's, else the package's own folder. */
  readonly root: string
  /** Absolute, links followed: the package that becomes the image. */
  readonly folder: string
  /** `folder` below `root`, with `/`; '' where they are one. */
  readonly path: string
  readonly manifest: Manifest
  readonly rootManifest: Manifest
  readonly manager: PackageManager
  /** All packages of the monorepo, by path; empty outside of one. */
  readonly workspaces: readonly WorkspacePackage[]
  /** Yarn installed it with Plug'n'Play: there is no `node_modules`. */
  readonly isPlugAndPlay: boolean
}

/**
 * Looks at a folder; `wanted` names one of its workspace packages, by name or folder. Throws `OCB-NODE-NO-PACKAGE`,
 * `OCB-NODE-PACKAGE`, `OCB-NODE-WORKSPACES` and `OCB-SPEC-PACKAGE-JSON`.
 */
export async function detectProject(folder: string, wanted: string | undefined): Promise<Project> {
  const start = existingFolder(folder)
  const around = await findRoot(start)
  const root = around?.root ?? start
  const rootManifest = readManifest(root)
  const workspaces = around?.workspaces ?? []
  const chosen = wanted === undefined ? start : findPackage(start, wanted, workspaces)
  const manifest = readManifest(chosen)
  if (manifest === undefined) {
    throw new OciBuildError('OCB-NODE-NO-PACKAGE', {
      message: `there is no package.json in ${chosen}, and an image of a Node.js project is made of one`,
      hint: 'run in the folder of the package, or name it with node.package',
    })
  }
  return {
    root,
    folder: chosen,
    path: relative(root, chosen).split(sep).join('/'),
    manifest,
    rootManifest: rootManifest ?? manifest,
    manager: findPackageManager(root, rootManifest ?? manifest),
    workspaces,
    isPlugAndPlay: existsSync(join(root, '.pnp.cjs')),
  }
}

function existingFolder(folder: string): string {
  try {
    return realpathSync(folder)
  } catch (error) {
    throw new OciBuildError('OCB-NODE-NO-PACKAGE', {
      message: `there is no folder ${folder}`,
      hint: 'correct root in the spec',
      cause: error,
    })
  }
}

/** The nearest folder, from `start` up, whose workspaces `start` is one of; or `start` itself where it has some. */
async function findRoot(
  start: string,
): Promise<{ readonly root: string; readonly workspaces: readonly WorkspacePackage[] } | undefined> {
  for (let folder = start; ; folder = dirname(folder)) {
    const hasWords = ['package.json', 'pnpm-workspace.yaml'].some((name) => existsSync(join(folder, name)))
    const globs = hasWords ? await workspaceGlobs(folder, readManifest(folder)) : undefined
    if (globs !== undefined) {
      const workspaces = findWorkspaces(folder, globs)
      if (folder === start || workspaces.some((item) => item.folder === start))
        return { root: folder, workspaces }
    }
    if (dirname(folder) === folder) return undefined
  }
}

function findPackage(start: string, wanted: string, workspaces: readonly WorkspacePackage[]): string {
  const named = workspaces.filter(({ manifest }) => manifest.name === wanted)
  const [found] = named
  if (found !== undefined && named.length === 1) return found.folder
  const folder = resolve(start, wanted)
  if (existsSync(join(folder, 'package.json'))) return realpathSync(folder)
  const known = workspaces.flatMap(({ manifest, path }) => manifest.name ?? path)
  const near = nearest(wanted, known)
  throw new OciBuildError('OCB-NODE-PACKAGE', {
    message: `node.package "${wanted}" is no package of ${start}; ${known.length === 0 ? 'it has no workspaces' : `it has ${known.join(', ')}`}`,
    hint: near === undefined ? 'name a workspace package, or its folder' : `did you mean ${near}?`,
  })
}
