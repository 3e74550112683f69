/** A locked install as placements: packages from their archives, links, commands. */

import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileMtimeFor, executableMode, fileMode } from '../../plan/entry-metadata.ts'
import { below, refuseWhiteoutName } from '../../plan/image-path.ts'
import type { Placement } from '../../plan/placement.ts'
import {
  imagePathOf,
  leadsToWorkspace,
  origin,
  placeLink,
  placeOwnDirectory,
  type ImageMap,
} from '../project/place-project.ts'
import type { LockedCommand, LockedInstall } from './locked-install.ts'
import type { LockedPackage } from './locked-tree.ts'
import { packageFiles, type PackageFile } from './package-files.ts'
import { packedKey } from './package-store.ts'
import { labelOf } from './tarball-source.ts'

export interface LockedFiles {
  /** Of the closure's packages, by path. */
  readonly files: ReadonlyMap<string, readonly PackageFile[]>
  /** Those whose file is there. */
  readonly commands: readonly LockedCommand[]
}

/** Finds the files of every package of the closure. */
export function lockedFiles(root: string, install: LockedInstall): LockedFiles {
  const files = new Map<string, readonly PackageFile[]>()
  const byOwner = new Map<string, Set<string>>()
  for (const { owner, file } of install.commands) {
    const own = byOwner.get(owner)
    if (own === undefined) byOwner.set(owner, new Set([file]))
    else own.add(file)
  }
  const folders = new Set(install.closure.packages.map(({ folder }) => folder))
  for (const item of install.tree.packages.values()) {
    if (!folders.has(join(root, item.path))) continue
    // pnpm marks every command of a package; npm those that it links.
    const own = install.asNpm ? byOwner.get(item.path) : commandFiles(item)
    files.set(item.path, filesOf(item, install, own ?? new Set()))
  }
  const workspaces = new Set(install.closure.workspaces.map(({ folder }) => folder))
  const commands = install.commands.filter(({ owner, file }) => {
    const own = files.get(owner)
    if (own !== undefined) return own.some(({ path, type }) => path === file && type === 'file')
    return workspaces.has(join(root, owner)) && existsSync(join(root, owner, file))
  })
  return { files, commands }
}

export function placeLockedPackages(
  map: ImageMap,
  { closure }: LockedInstall,
  { files, commands }: LockedFiles,
): readonly Placement[] {
  const placements: Placement[] = []
  for (const [path, own] of files) {
    for (const name of path.split('/')) refuseWhiteoutName(name, path)
    const folder = imagePathOf(map, join(map.root, path))
    placements.push(placeOwnDirectory(folder), ...own.map((file) => placePackageFile(folder, file, path)))
  }
  const links = closure.links.filter(({ target }) => !leadsToWorkspace(closure, target))
  return [
    ...placements,
    ...links.map((link) => placeLink(map, link)),
    ...commands.filter(({ owner }) => files.has(owner)).map((command) => placeCommand(map, command)),
  ]
}

export function placeLockedWorkspaceLinks(
  map: ImageMap,
  { closure }: LockedInstall,
  { files, commands }: LockedFiles,
): readonly Placement[] {
  const links = closure.links.filter(({ target }) => leadsToWorkspace(closure, target))
  return [
    ...links.map((link) => placeLink(map, link)),
    ...commands.filter(({ owner }) => !files.has(owner)).map((command) => placeCommand(map, command)),
  ]
}

function commandFiles({ manifest }: LockedPackage): ReadonlySet<string> {
  return new Set(Object.values(manifest.bin).map((file) => posix.join('/', file).slice(1)))
}

function filesOf(
  { archive, inside }: LockedPackage,
  { packed, asNpm }: LockedInstall,
  commands: ReadonlySet<string>,
): readonly PackageFile[] {
  const found = packed.get(packedKey(archive))
  if (found === undefined) throw new Error(`unreachable: ${labelOf(archive)} was not fetched`)
  return packageFiles(found, { inside, asNpm, commands })
}

function placePackageFile(folder: string, file: PackageFile, packagePath: string): Placement {
  for (const name of file.path.split('/')) refuseWhiteoutName(name, `${packagePath}: ${file.path}`)
  const path = below(folder, file.path)
  if (file.type === 'directory' || file.source === undefined) return placeOwnDirectory(path)
  return {
    type: 'file',
    path,
    origin,
    mode: file.executable ? executableMode : fileMode,
    owner: undefined,
    mtime: fileMtimeFor('content', 0),
    source: file.source,
  }
}

function placeCommand(map: ImageMap, { path, target }: LockedCommand): Placement {
  return {
    type: 'symlink',
    path: imagePathOf(map, join(map.root, path)),
    origin,
    target,
    owner: '0:0',
    mtime: 0,
  }
}
