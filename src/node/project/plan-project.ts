/** A Node.js project as an image: its three layers, its config, and why each is as it is. */

import { existsSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import type { Compression, ConfigSpec, NodeSpec } from '../../config/resolved-spec.ts'
import type { Environment } from '../../environment.ts'
import { OciBuildError } from '../../errors.ts'
import type { Reporter } from '../../events.ts'
import { excludedBelow } from '../../plan/excluded-paths.ts'
import { createHiddenLog } from '../../plan/hidden-log.ts'
import { below } from '../../plan/image-path.ts'
import type { HiddenBy, PlannedLayer, Placement } from '../../plan/placement.ts'
import { walkFolder } from '../../plan/walk-folder.ts'
import { findAppFiles, outputFolders } from './app-files.ts'
import { findStaleBuild } from './build-age.ts'
import type { ChosenUser } from './choose-user.ts'
import { closureDecisions } from './closure-decisions.ts'
import { findClosure, type DependencyClosure } from './dependency-closure.ts'
import type { Project } from './detect-project.ts'
import { isInside, resolveFile } from './entry-file.ts'
import { isBelow } from './installed-tree.ts'
import { initPlacement, withInit } from './init-preload.ts'
import type { Manifest } from './manifest.ts'
import { checkLeftOut } from './native-errors.ts'
import { fitsTarget, type NativeTarget } from './native-platform.ts'
import { asCommand, type LockedDependencies } from './locked-dependencies.ts'
import { nodeConfig } from './node-config.ts'
import {
  checkLinks,
  createImageMap,
  placeDependencies,
  placeFiles,
  placeOwnDirectory,
  placeWorkspaceLinks,
  withParents,
  type ImageMap,
} from './place-project.ts'
import { refuseSecrets } from './secrets.ts'
import { binPath, findStartCommand, type FindBin, type StartCommand } from './start-command.ts'
import { placeStandalone } from './standalone.ts'

export interface ProjectQuestion {
  readonly project: Project
  readonly words: NodeSpec
  /** The spec's own. */
  readonly config: ConfigSpec
  readonly compression: Compression
  readonly user: ChosenUser
  /** In place of what is installed. */
  readonly locked?: LockedDependencies | undefined
  /** What the image's native files must run on. */
  readonly target: NativeTarget
  /** Absolute host paths that are never copied. */
  readonly excludedPaths: readonly string[]
  readonly environment: Environment
  readonly reporter: Reporter
}

export interface ProjectPlan {
  /** Lowest first; none is empty. */
  readonly layers: readonly PlannedLayer[]
  /** The spec's, with what it leaves open filled in. */
  readonly config: ConfigSpec
  readonly hidden: readonly HiddenBy[]
  /** Undefined for an output that carries its dependencies. */
  readonly closure: DependencyClosure | undefined
  readonly decisions: readonly string[]
}

/** A layer in the making: its name and what is in it. */
export interface Part {
  readonly name: string
  readonly placements: readonly Placement[]
}

/** Throws what the parts of it throw: `OCB-NODE-…`, `OCB-COPY-…`. Warns `OCB-NODE-STALE-BUILD`. */
export function planProject(question: ProjectQuestion): ProjectPlan {
  const { project, words, reporter, user } = question
  const map = createImageMap(project.root, words.workingDir, question.environment)
  const { locked } = question
  let found = locked?.closure
  const closure = (): DependencyClosure =>
    (found ??= findClosure(project, (manifest, offered) => fitsTarget(manifest, question.target, offered)))
  const hidden = createHiddenLog('app')
  const { cmd, entrypoint } = question.config
  const isOwn = cmd !== undefined || (entrypoint?.length ?? 0) > 0
  const start = isOwn
    ? undefined
    : findStartCommand(project, words.entry, locked?.findBin ?? binFinder(project, closure))
  const stale = findStaleBuild(project, start?.needed[0])
  if (stale !== undefined) {
    reporter.warn(
      'OCB-NODE-STALE-BUILD',
      `${stale.source} was changed after ${stale.output} of ${project.folder} was built`,
      `run ${project.manager.name} run build, or add it to prepare`,
    )
  }
  const standalone = start?.standalone
  const planned =
    standalone === undefined
      ? planParts(question, map, closure(), start, hidden)
      : placeStandalone(question, map, standalone, hidden)
  const workingPath = standalone?.workingPath ?? project.path
  const workingDir = below(words.workingDir, workingPath)
  const writable = [...words.writable, ...(start?.writable ?? []).map((path) => below(workingDir, path))]
  const init = words.init && start !== undefined ? initPlacement(words.workingDir) : undefined
  const parts = ownParts(planned.parts, writable, user.owner, init).map(({ name, placements }) => ({
    name,
    placements: withParents(placements, words.workingDir),
  }))
  checkLinks(
    parts.flatMap(({ placements }) => placements),
    words.workingDir,
  )
  if (found !== undefined) checkLeftOut(found, question.target, project.manager)
  const command = init === undefined ? start?.cmd : withInit(start?.cmd ?? [], init.path)
  const started = start && { ...start, cmd: command ?? start.cmd }
  return {
    layers: parts.map(({ name, placements }) => ({
      name,
      at: 'node',
      compression: question.compression,
      placements,
    })),
    config: nodeConfig(question.config, started, workingDir, user.user, locked?.env),
    hidden: hidden.all(),
    closure: found,
    decisions: [
      `project: ${project.manifest.name ?? project.folder}, ${locked === undefined || project.isPlugAndPlay ? 'installed' : 'locked'} by ${project.manager.name} (${project.manager.reason})`,
      ...planned.decisions,
      `user: ${user.user ?? user.owner} (${user.reason})`,
      ...(writable.length > 0 ? [`writable: ${writable.join(', ')}; all else belongs to root`] : []),
      ...startDecisions(started, words.init),
    ],
  }
}

function planParts(
  question: ProjectQuestion,
  map: ImageMap,
  closure: DependencyClosure,
  start: StartCommand | undefined,
  hidden: ReturnType<typeof createHiddenLog>,
): { readonly parts: readonly Part[]; readonly decisions: readonly string[] } {
  const { project, excludedPaths, locked } = question
  const dependencies = locked?.placePackages(map) ?? placeDependencies(map, closure, excludedPaths)
  const workspaces = closure.workspaces.map((item) => ownFiles(question, map, item, [], hidden))
  const output = start?.needed[0]?.split('/')[0] ?? ''
  const needed = [
    ...(start?.needed ?? []),
    ...(outputFolders.includes(output) && existsSync(join(project.folder, output)) ? [output] : []),
  ]
  const app = ownFiles(question, map, project, needed, hidden)
  for (const path of start?.needed ?? []) {
    if (app.paths.has(path)) continue
    throw new OciBuildError('OCB-NODE-ENTRY-LEFT-OUT', {
      message: `${path}, which the app is started with, is not among the files that ship`,
      hint: 'take it out of node.exclude, or name another file with node: { entry }',
    })
  }
  return {
    parts: [
      { name: 'dependencies', placements: dependencies },
      {
        name: 'workspace packages',
        placements: [
          ...workspaces.flatMap(({ placements }) => placements),
          ...(locked?.placeWorkspaceLinks(map) ?? placeWorkspaceLinks(map, closure)),
        ],
      },
      { name: 'app', placements: app.placements },
    ],
    decisions: [
      ...(locked?.decisions ?? closureDecisions(project, closure, question.target)),
      ...(closure.workspaces.length > 0
        ? [
            `workspace packages: ${closure.workspaces.map(({ name }) => name).join(', ')} (the app depends on them)`,
          ]
        : []),
      `app: ${app.reason}`,
    ],
  }
}

/** The files of the app or of a workspace package, checked for secrets. */
function ownFiles(
  question: ProjectQuestion,
  map: ImageMap,
  item: { readonly folder: string; readonly manifest: Manifest | undefined },
  needed: readonly string[],
  hidden: ReturnType<typeof createHiddenLog>,
): {
  readonly placements: readonly Placement[]
  readonly paths: ReadonlySet<string>
  readonly reason: string
} {
  const { project, words, excludedPaths } = question
  const { folder } = item
  const imageFolder = below(map.mount, relative(project.root, folder).split(sep).join('/'))
  const isApp = folder === project.folder
  const path = relative(project.root, folder).split(sep).join('/')
  // As npm packs them, whatever `files` says.
  const own = [item.manifest?.main, ...Object.values(item.manifest?.bin ?? {})]
  const programs = own.flatMap((file) =>
    file !== undefined && isInside(file) ? (resolveFile(folder, file) ?? []) : [],
  )
  const excluded = excludedBelow(folder, excludedPaths)
  const { found, reason } =
    item.manifest === undefined
      ? { found: walkFolder(folder, { excluded, filter: undefined, followRoot: undefined }), reason: '' }
      : findAppFiles({
          folder,
          root: project.root,
          path,
          manifest: item.manifest,
          include: isApp ? words.include : [],
          exclude: isApp ? words.exclude : [],
          needed: [...needed, ...programs],
          packagesInside: project.workspaces
            .filter((other) => other.path !== path && (path === '' || other.path.startsWith(`${path}/`)))
            .map((other) => (path === '' ? other.path : other.path.slice(path.length + 1))),
          excluded,
          hidden,
        })
  refuseSecrets(found, path, words.allow)
  return {
    placements: [
      placeOwnDirectory(imageFolder),
      ...placeFiles(map, imageFolder, found).map((item) => asCommand(item, question.locked)),
    ],
    paths: new Set(found.map((file) => file.path)),
    reason,
  }
}

/** Programs of the packages that the app reaches, nearest first. */
function binFinder(project: Project, closure: () => DependencyClosure): FindBin {
  return (command) => {
    for (const [nodeModules, packages] of closure().taken) {
      if (!isBelow(dirname(nodeModules), project.folder)) continue
      for (const item of packages.values()) {
        const path = binPath(project, nodeModules, item, command)
        if (path !== undefined) return { path, package: item }
      }
    }
    return undefined
  }
}

/** Empty parts go; what the app may write becomes the user's. */
function ownParts(
  parts: readonly Part[],
  writable: readonly string[],
  owner: string,
  init: Placement | undefined,
): readonly Part[] {
  const isWritable = (path: string): boolean =>
    writable.some((folder) => path === folder || path.startsWith(`${folder}/`))
  const folders = writable.map((path) => placeOwnDirectory(path, owner))
  return parts
    .map(({ name, placements }) => {
      const added = name === 'app' ? [...folders, ...(init === undefined ? [] : [init])] : []
      const owned = placements.map((item) =>
        'owner' in item && isWritable(item.path) ? { ...item, owner } : item,
      )
      return { name, placements: [...owned, ...added] }
    })
    .filter(({ placements }) => placements.length > 0)
}

function startDecisions(start: StartCommand | undefined, init: boolean): readonly string[] {
  if (start === undefined) return ['command: what config says']
  return [
    `command: ${start.cmd.join(' ')} (${start.reason})`,
    ...(start.notRun.length > 0
      ? [
          `not run: scripts ${start.notRun.join(', ')} (the image starts one command; run them as steps of their own)`,
        ]
      : []),
    start.endsOnSignals !== undefined
      ? `signals: the server of ${start.endsOnSignals} ends on SIGTERM itself`
      : init
        ? 'signals: a preload ends the app on SIGTERM and SIGINT where it does not listen for them (node.init)'
        : 'signals: the app is process 1, which ignores SIGTERM unless it listens for it; node: { init: true } ends it',
  ]
}
