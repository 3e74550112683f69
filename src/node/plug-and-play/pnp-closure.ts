/** What an app needs of a project that is installed with Plug'n'Play: reached from it, without devDependencies. */

import { existsSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { OciBuildError } from '../../errors.ts'
import { formatPlatform } from '../../spec/platform.ts'
import type { ClosurePackage, LeftOut } from '../project/dependency-closure.ts'
import type { Project } from '../project/detect-project.ts'
import { isBelow } from '../project/installed-tree.ts'
import { readManifest, type Manifest } from '../project/manifest.ts'
import { fitsTarget, type NativeTarget } from '../project/native-platform.ts'
import { locate, type PnpLocation } from './pnp-location.ts'
import type { PnpPackage, PnpState } from './pnp-state.ts'
import type { YarnLock } from './yarn-lock.ts'

export interface PnpReached extends PnpLocation {
  /** As the image's `.pnp.cjs` has it. */
  readonly item: PnpPackage
  readonly manifest: Manifest | undefined
}

export interface PnpClosure {
  /** In archives and unplugged folders, in the order of the state. */
  readonly packages: readonly PnpReached[]
  /** Without the app itself, by folder. */
  readonly workspaces: readonly ClosurePackage[]
  /** For another system. */
  readonly leftOut: readonly LeftOut[]
  /** What the image's `.pnp.cjs` tells of. */
  readonly told: readonly PnpPackage[]
}

/** Throws `OCB-NODE-PNP`, `OCB-NODE-NOT-INSTALLED` and `OCB-NODE-LINK-OUTSIDE`. */
export function findPnpClosure(
  project: Project,
  state: PnpState,
  lock: YarnLock,
  target: NativeTarget,
): PnpClosure {
  const byKey = new Map(state.packages.map((item) => [keyOf(item.name, item.reference), item]))
  const app = state.packages.find(
    ({ name, isSoft, location }) => name !== null && isSoft && folderOf(project, location) === project.folder,
  )
  if (app === undefined) throw stale(project, `${project.manifest.name ?? project.folder} is not in it`)
  const reached = new Map<PnpPackage, PnpReached>()
  const leftOut: LeftOut[] = []
  const visit = (item: PnpPackage, by: ClosurePackage | undefined): void => {
    if (reached.has(item)) return
    const place = locate(project.root, item.location)
    if (!place.isArchive && !isBelow(project.root, place.hostPath)) throw outside(project, item, place)
    const isThere = existsSync(place.hostPath)
    const manifest = isThere && !place.isArchive ? readManifest(place.hostPath) : undefined
    const own = { name: item.name ?? '', folder: place.hostPath, manifest }
    const system = manifest ?? lock.find(item)?.system
    if (by !== undefined && isOthers(item, place, system, isThere, target)) {
      if (!isThere && isWanted(system, target)) throw notUnplugged(project, item, place, target)
      leftOut.push({ name: item.name ?? '', by, manifest: system })
      // Its name stays known, so that a program that asks for it is told what is wrong.
      reached.set(item, { ...place, hostPath: '', item: { ...item, dependencies: [] }, manifest })
      return
    }
    if (!isThere) throw stale(project, `${item.name ?? ''} lies in ${place.hostPath}, which is not there`)
    const isOwn = item.isSoft
    const wanted = item.dependencies.filter(
      ([name]) => !isOwn || manifest === undefined || ships(manifest, name),
    )
    reached.set(item, {
      ...place,
      item: { ...item, location: place.location, dependencies: wanted },
      manifest,
    })
    for (const [name, found] of wanted) {
      const next =
        typeof found === 'string' ? byKey.get(keyOf(name, found)) : found && byKey.get(keyOf(...found))
      if (next !== undefined && next !== null) visit(next, own)
    }
  }
  visit(app, undefined)
  const all = state.packages.flatMap((item) => reached.get(item) ?? [])
  const known = new Set(all.map(({ item }) => keyOf(item.name, item.reference)))
  const root = state.packages.filter(({ name }) => name === null)
  return {
    packages: all.filter(({ item, hostPath }) => !item.isSoft && hostPath !== ''),
    workspaces: all
      .filter(({ item, hostPath }) => item.isSoft && hostPath !== project.folder)
      .map(({ item, hostPath, manifest }) => ({ name: item.name ?? '', folder: hostPath, manifest }))
      .filter(({ folder }, index, list) => list.findIndex((other) => other.folder === folder) === index)
      .sort((one, other) => (one.folder < other.folder ? -1 : 1)),
    leftOut,
    told: [
      ...root.map((item) => ({
        ...item,
        dependencies: item.dependencies.filter(
          ([name, found]) => typeof found === 'string' && known.has(keyOf(name, found)),
        ),
      })),
      ...all.map(({ item }) => item),
    ],
  }
}

/** Binaries lie unplugged, each for one system; those of others were not fetched. */
function isOthers(
  { isSoft }: PnpPackage,
  { isArchive }: PnpLocation,
  system: Manifest | undefined,
  isThere: boolean,
  target: NativeTarget,
): boolean {
  if (isSoft || isArchive || system === undefined) return false
  return !isThere || !fitsTarget(system, target)
}

/** Of those for both kinds of libc one is enough, where the base's is not known. */
function isWanted(system: Manifest | undefined, target: NativeTarget): boolean {
  if (system === undefined || (target.libc === undefined && system.libc.length > 0)) return false
  return fitsTarget(system, target)
}

function ships(
  { dependencies, optionalDependencies, peerDependencies, devDependencies, name }: Manifest,
  wanted: string,
): boolean {
  if (wanted === name || !devDependencies.includes(wanted)) return true
  return [...dependencies, ...optionalDependencies, ...peerDependencies].includes(wanted)
}

function folderOf({ root }: Project, location: string): string {
  return locate(root, location).hostPath
}

function keyOf(name: string | null, reference: string | null): string {
  return JSON.stringify([name, reference])
}

function stale({ root, manager }: Project, why: string): OciBuildError {
  return new OciBuildError('OCB-NODE-NOT-INSTALLED', {
    message: `${join(root, '.pnp.cjs')} is not of what is installed: ${why}`,
    hint: `run ${manager.install} in ${root}`,
  })
}

function notUnplugged(
  { root, manager }: Project,
  { name }: PnpPackage,
  { hostPath }: PnpLocation,
  { platform }: NativeTarget,
): OciBuildError {
  return new OciBuildError('OCB-NODE-NOT-INSTALLED', {
    message: `${name ?? ''} is for ${formatPlatform(platform)}, and is not in ${hostPath}`,
    hint: `add the image's os, cpu and libc to supportedArchitectures of .yarnrc.yml, and run ${manager.install} in ${root}`,
  })
}

function outside({ root }: Project, { name }: PnpPackage, { hostPath }: PnpLocation): OciBuildError {
  return new OciBuildError('OCB-NODE-LINK-OUTSIDE', {
    message: `"${name ?? ''}" lies in ${hostPath} (${relative(root, hostPath).split(sep).join('/')}), outside of ${root}: it would be nowhere in the image`,
    hint: 'make it a workspace of the project, or install a copy of it',
  })
}
