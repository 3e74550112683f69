/** A project's production dependencies from its lockfile alone: nothing is installed, nothing of them runs. */

import { join } from 'node:path'
import { existsSync } from 'node:fs'
import type { Environment } from '../../environment.ts'
import { OciBuildError } from '../../errors.ts'
import type { Reporter } from '../../events.ts'
import { leftOutDecision } from '../project/closure-decisions.ts'
import type { Project } from '../project/detect-project.ts'
import type { LockedDependencies } from '../project/locked-dependencies.ts'
import type { NativeBase } from '../project/native-files.ts'
import { tellInstallScripts } from './install-scripts.ts'
import { lockedBinFinder } from './locked-bin.ts'
import type { LockedInstall, LockQuestion } from './locked-install.ts'
import { unsupported } from './lockfile-error.ts'
import { readNpmSettings } from './npmrc.ts'
import { fetchPackages } from './package-store.ts'
import { lockedFiles, placeLockedPackages, placeLockedWorkspaceLinks } from './place-locked.ts'
import { refusePatchers } from './refuse-changed.ts'
import { openTarballSource } from './tarball-source.ts'

export interface LockedQuestion {
  readonly project: Project
  /** What optional packages must run on. */
  readonly target: NativeBase
  /** Absolute: where packages are kept for the next build. */
  readonly packagesDir: string
  readonly offline: boolean
  readonly environment: Environment
  readonly reporter: Reporter
}

/**
 * Reads the lockfile of the project's package manager and fetches what production needs on the target. Throws
 * `OCB-NODE-LOCKFILE-…`, `OCB-NODE-NPMRC`, `OCB-NETWORK-…` and what `findClosure` throws. Warns
 * `OCB-NODE-INSTALL-SCRIPTS`.
 */
export async function lockDependencies(question: LockedQuestion): Promise<LockedDependencies> {
  const { project, target, packagesDir, offline, environment, reporter } = question
  const { root } = project
  refusePatchers(project)
  const settings = readNpmSettings(root, environment)
  const source = openTarballSource({ root, settings, environment, offline })
  let install: LockedInstall
  try {
    install = await readLock({
      project,
      target,
      settings,
      fetch: (archives) => fetchPackages(archives, packagesDir, source, reporter, environment.wallClockMs()),
    })
  } finally {
    await source.close()
  }
  const { closure, tree } = install
  const found = lockedFiles(root, install)
  const archives = [...tree.packages.values()].filter(({ path }) => found.files.has(path))
  const scripts = tellInstallScripts(
    project,
    archives.filter(({ inside }) => inside === '').map(({ archive }) => archive),
    install,
    reporter,
  )
  return {
    closure,
    placePackages: (map) => placeLockedPackages(map, install, found),
    placeWorkspaceLinks: (map) => placeLockedWorkspaceLinks(map, install, found),
    executables: new Set(
      found.commands
        .filter(({ owner }) => !found.files.has(owner))
        .map(({ owner, file }) => join(root, owner, file)),
    ),
    findBin: lockedBinFinder(project, install, found.files),
    decisions: [
      `dependencies: ${closure.packages.length} packages of ${install.file}, placed as ${install.command} does`,
      ...leftOutDecision(closure, target),
      ...install.decisions,
      ...(scripts.length > 0 ? [`install scripts: not run, of ${scripts.join(', ')}`] : []),
    ],
  }
}

async function readLock(question: LockQuestion): Promise<LockedInstall> {
  const { project } = question
  const { root, manager } = project
  const has = (name: string): boolean => existsSync(join(root, name))
  switch (manager.name) {
    case 'npm': {
      // npm looks at them in this order.
      const file = ['npm-shrinkwrap.json', 'package-lock.json'].find(has)
      if (file === undefined) throw noLockfile(project, 'package-lock.json')
      return (await import('./npm-install.ts')).lockNpm(question, file)
    }
    case 'pnpm':
      if (!has('pnpm-lock.yaml')) throw noLockfile(project, 'pnpm-lock.yaml')
      return (await import('./pnpm-install.ts')).lockPnpm(question, 'pnpm-lock.yaml')
    default:
      throw unsupported(
        `node.dependencies is 'lockfile', and ${root} is installed by ${manager.name} (${manager.reason}); wanted a lockfile of npm or pnpm`,
        `run ${manager.install}, and leave out node.dependencies: 'lockfile'`,
      )
  }
}

function noLockfile({ root, manager }: Project, name: string): OciBuildError {
  return new OciBuildError('OCB-NODE-LOCKFILE-MISSING', {
    message: `node.dependencies is 'lockfile', and there is no ${name} in ${root}`,
    hint: `run ${manager.install}, which writes it, and keep it with the project`,
  })
}
