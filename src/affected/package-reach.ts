/** Which folders and files decide what a package of a monorepo becomes: its own, those of packages it uses, lockfiles. */

import { join, sep } from 'node:path'
import { OciBuildError } from '../errors.ts'
import { detectProject, type Project } from '../node/project/detect-project.ts'
import type { Manifest } from '../node/project/manifest.ts'
import { pathBelow, type Input } from './input.ts'

/** Of all package managers that are known. */
export const lockfiles: readonly string[] = [
  'package-lock.json',
  'npm-shrinkwrap.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
  'bun.lockb',
]

/** What decides what package managers install, beside each other in the root of a project. */
const installFiles: readonly string[] = [...lockfiles, 'pnpm-workspace.yaml', '.yarnrc.yml', '.npmrc']

/** The project of a folder; undefined where there is none that can be read. `wanted` names one of its packages. */
export async function projectAt(folder: string, wanted?: string): Promise<Project | undefined> {
  try {
    return await detectProject(folder, wanted)
  } catch (error) {
    if (error instanceof OciBuildError) return undefined
    throw error
  }
}

/** The lockfiles of the project in `root`, and what belongs to them. */
export function installInputs(root: string): readonly Input[] {
  const what = 'what the dependencies are installed by'
  return [...installFiles, 'package.json', 'patches'].map((name) => ({ root: join(root, name), what }))
}

/** The folder of a package, those of all workspace packages that it uses, and the lockfiles of the project. */
export function packageInputs(project: Project, what: string): readonly Input[] {
  const { folder, manifest, workspaces, root } = project
  const others = workspaces.filter((item) => item.folder !== folder)
  const byName = new Map(others.map((item) => [item.manifest.name, item]))
  const reached = new Map([[folder, manifest]])
  // The map grows while it is walked.
  for (const one of reached.values()) {
    for (const name of usedBy(one)) {
      const used = byName.get(name)
      if (used !== undefined) reached.set(used.folder, used.manifest)
    }
  }
  const folders = workspaces.map((item) => item.folder)
  const inputs = Array.from(reached, ([place, { name }]): Input => ({
    root: place,
    what: place === folder ? what : `the workspace package ${name ?? place}`,
    takes: outside(
      folders
        .filter((other) => other.startsWith(place + sep))
        .flatMap((other) => pathBelow(place, other) ?? []),
    ),
  }))
  return [...inputs, ...installInputs(root)]
}

/** Also what it is developed with: bundlers put that into what they make. */
function usedBy(manifest: Manifest): readonly string[] {
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = manifest
  return [...dependencies, ...devDependencies, ...optionalDependencies, ...peerDependencies]
}

/** Other packages that lie in a package are no part of it. */
function outside(folders: readonly string[]): (path: string) => boolean {
  return (path) => !folders.some((folder) => path === folder || path.startsWith(`${folder}/`))
}
