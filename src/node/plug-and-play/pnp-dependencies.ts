/** A project that Yarn installed with Plug'n'Play: its archives, unplugged folders and `.pnp.cjs` as a layer. */

import { existsSync } from 'node:fs'
import { join, posix, relative, sep } from 'node:path'
import { below } from '../../plan/image-path.ts'
import type { Placement } from '../../plan/placement.ts'
import { walkFolder } from '../../plan/walk-folder.ts'
import { leftOutDecision } from '../project/closure-decisions.ts'
import type { ClosurePackage, DependencyClosure } from '../project/dependency-closure.ts'
import type { Project } from '../project/detect-project.ts'
import { openInstalledTree } from '../project/installed-tree.ts'
import type { LockedDependencies } from '../project/locked-dependencies.ts'
import type { NativeTarget } from '../project/native-platform.ts'
import {
  origin,
  placeFiles,
  placeOwnDirectory,
  withoutLitter,
  type ImageMap,
} from '../project/place-project.ts'
import type { FindBin } from '../project/start-command.ts'
import { findPnpClosure, type PnpReached } from './pnp-closure.ts'
import { readPnpState } from './pnp-state.ts'
import { readYarnLock, type YarnLock } from './yarn-lock.ts'

const loader = '.pnp.loader.mjs'

/** `mount`: where the project's root lies in the image. Throws `OCB-NODE-PNP` and what `findPnpClosure` throws. */
export async function plugAndPlay(
  project: Project,
  target: NativeTarget,
  mount: string,
): Promise<LockedDependencies> {
  const { root } = project
  const state = readPnpState(root)
  const lock = await readYarnLock(root)
  const found = findPnpClosure(project, state, lock, target)
  const closure: DependencyClosure = {
    packages: found.packages.filter(({ isArchive }) => !isArchive).map(asPackage),
    workspaces: found.workspaces,
    links: [],
    taken: new Map(),
    leftOut: found.leftOut,
    tree: openInstalledTree(root),
  }
  const hasLoader = existsSync(join(root, loader))
  const options = [
    `--require ${below(mount, '.pnp.cjs')}`,
    ...(hasLoader ? [`--experimental-loader file://${below(mount, loader)}`] : []),
  ].join(' ')
  const archives = found.packages.filter(({ isArchive }) => isArchive).length
  return {
    closure,
    placePackages: (map) => [
      ...placePackages(map, found.packages),
      ...Array.from(state.format(found.told), ([name, bytes]) => placeText(map, name, bytes)),
      ...(hasLoader ? [map.placer.place(below(map.mount, loader), join(root, loader), 'file')] : []),
    ],
    placeWorkspaceLinks: () => [],
    findBin: binFinder(project, found.packages, lock),
    executables: new Set(),
    env: { NODE_OPTIONS: options },
    decisions: [
      `dependencies: ${found.packages.length} packages of .pnp.cjs, ${archives} of them as archives (what package.json leads to, without devDependencies)`,
      `plug and play: NODE_OPTIONS loads .pnp.cjs, written with these packages alone (each node needs it to find them)`,
      ...leftOutDecision(closure, target),
    ],
  }
}

function placePackages(map: ImageMap, packages: readonly PnpReached[]): readonly Placement[] {
  const placed = new Map<string, readonly Placement[]>()
  for (const { hostPath, imagePath, isArchive } of packages) {
    // Virtual packages share what they are made of.
    if (placed.has(imagePath)) continue
    const path = below(map.mount, imagePath)
    placed.set(
      imagePath,
      isArchive ? [map.placer.place(path, hostPath, 'file')] : placeFolder(map, path, hostPath),
    )
  }
  return [...placed.keys()].sort().flatMap((path) => placed.get(path) ?? [])
}

function placeFolder(map: ImageMap, path: string, folder: string): readonly Placement[] {
  const excluded = { paths: new Set<string>(), parents: new Set<string>() }
  const found = walkFolder(folder, { excluded, filter: undefined, followRoot: undefined })
  return [placeOwnDirectory(path), ...placeFiles(map, path, withoutLitter(folder, found))]
}

function placeText(map: ImageMap, name: string, bytes: Uint8Array): Placement {
  const path = below(map.mount, name)
  return {
    type: 'file',
    path,
    origin,
    mode: 0o644,
    owner: '0:0',
    mtime: 'content',
    source: { kind: 'bytes', bytes },
  }
}

function asPackage({ item, hostPath, manifest }: PnpReached): ClosurePackage {
  return { name: item.name ?? '', folder: hostPath, manifest }
}

/** Archives are not looked into: the lockfile has the commands of each package. */
function binFinder({ root, folder }: Project, packages: readonly PnpReached[], lock: YarnLock): FindBin {
  return (command) => {
    for (const reached of packages) {
      const file = lock.find(reached.item)?.bin[command]
      if (file === undefined) continue
      const from = relative(root, folder).split(sep).join('/')
      const path = posix.relative(from, posix.join(reached.item.location, file))
      return { path, package: asPackage(reached) }
    }
    return undefined
  }
}
