/** What `npm ci --omit=dev` would install, by package-lock.json. */

import { join, posix } from 'node:path'
import { OciBuildError } from '../../errors.ts'
import { formatPlatform } from '../../spec/platform.ts'
import type { DependencyClosure } from '../project/dependency-closure.ts'
import { readManifest, type Manifest } from '../project/manifest.ts'
import type { NativeBase } from '../project/native-files.ts'
import { cpuOf, fitsTarget } from '../project/native-platform.ts'
import { findLockedClosure } from './locked-closure.ts'
import type { LockedTree } from './locked-tree.ts'
import { isCommandName, type LockedCommand, type LockedInstall, type LockQuestion } from './locked-install.ts'
import { installInstead, unsupported } from './lockfile-error.ts'
import { readPackageLock } from './package-lock.ts'
import { refuseGenerated } from './refuse-changed.ts'

/** Throws what `readPackageLock`, `findClosure` and `fetch` throw. */
export async function lockNpm(
  { project, target, settings, fetch }: LockQuestion,
  file: string,
): Promise<LockedInstall> {
  const { root } = project
  const strategy = settings.get('install-strategy')
  if (strategy === 'linked') {
    throw unsupported(`install-strategy of npm is "${strategy}"; wanted hoisted`, installInstead)
  }
  const tree = readPackageLock(root, file)
  const fits = (manifest: Manifest, offered: readonly string[] = []): boolean =>
    fitsTarget(manifest, target, offered)
  const closure = findLockedClosure(project, tree, target)
  refuseForeign(closure, file, target)
  refuseGenerated(
    project,
    closure.packages.map(({ name }) => name),
  )
  const folders = new Set(closure.packages.map(({ folder }) => folder))
  const taken = [...tree.packages.values()].filter(({ path }) => folders.has(join(root, path)))
  return {
    file,
    command: 'npm ci --omit=dev',
    tree,
    closure,
    packed: await fetch(taken.map(({ archive }) => archive)),
    commands: settings.get('bin-links') === 'false' ? [] : commandsOf(root, tree, fits),
    asNpm: true,
    decisions: [],
  }
}

/** Of two packages with a command of one name the one that lies higher, then first, has it. */
function commandsOf(
  root: string,
  tree: LockedTree,
  fits: (manifest: Manifest) => boolean,
): readonly LockedCommand[] {
  const packages = Array.from(tree.packages.values(), ({ path, manifest }) => ({
    path,
    owner: path,
    manifest,
  }))
  const linked = Array.from(tree.links, ([path, owner]) => {
    const manifest = tree.packages.get(owner)?.manifest ?? readManifest(join(root, owner))
    return { path, owner, manifest }
  })
  const commands = new Map<string, LockedCommand>()
  // npm links packages first, then what it has linked itself.
  for (const { path, owner, manifest } of [...packages.sort(byDepth), ...linked.sort(byDepth)]) {
    if (manifest === undefined || !fits(manifest)) continue
    const nodeModules = path.slice(0, path.lastIndexOf('node_modules/') + 'node_modules'.length)
    for (const [name, text] of Object.entries(manifest.bin)) {
      const base = posix.basename(name.replaceAll(/[\\:]/g, '/'))
      const link = `${nodeModules}/.bin/${base}`
      const file = posix.join('/', text.replaceAll('\\', '/')).slice(1)
      if (file === '' || !isCommandName(base) || commands.has(link)) continue
      const target = posix.join('..', path.slice(nodeModules.length + 1), file)
      commands.set(link, { path: link, owner, file, target })
    }
  }
  return [...commands.values()]
}

function byDepth(one: { readonly path: string }, other: { readonly path: string }): number {
  return depthOf(one.path) - depthOf(other.path) || one.path.localeCompare(other.path, 'en')
}

function depthOf(path: string): number {
  return path.split('/').filter((name) => name === 'node_modules').length
}

/** What production cannot do without must run on the target: npm refuses it too. */
function refuseForeign(closure: DependencyClosure, file: string, target: NativeBase): void {
  for (const { name, manifest } of closure.packages) {
    if (manifest === undefined || fitsTarget(manifest, target)) continue
    const words = (['os', 'cpu', 'libc'] as const)
      .filter((key) => manifest[key].length > 0)
      .map((key) => `${key} ${manifest[key].join(', ')}`)
    throw new OciBuildError('OCB-NODE-NATIVE', {
      message: `${name} of ${file} is for ${words.join(', ')}, and the image is for ${formatPlatform(target.platform)} (${cpuOf(target.platform)})`,
      hint: `make it an optional dependency, build for a platform that it runs on, or ${installInstead}`,
    })
  }
}
