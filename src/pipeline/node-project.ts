/** Images of Node.js projects: their layers and config over the base. */

import type { ConfigSpec, ImageSpec, NodeSpec } from '../config/resolved-spec.ts'
import type { BaseFiles } from '../layer/lower.ts'
import { OciBuildError } from '../errors.ts'
import type { Project } from '../node/project/detect-project.ts'
import type { LockedDependencies } from '../node/project/locked-dependencies.ts'
import type { NativeBase } from '../node/project/native-files.ts'
import { releaseOfVariable, type Libc } from '../node/base-runtime.ts'
import type { ProjectPlan } from '../node/project/plan-project.ts'
import { eachPlacement } from '../plan/placed-tree.ts'
import type { HiddenBy, Placement, PlannedLayer } from '../plan/placement.ts'
import { resolveOwner, type Owner } from '../rootfs/owners.ts'
import { readImageFile } from '../rootfs/read-image-file.ts'
import { formatPlatform } from '../spec/platform.ts'
import { libcOf, openRuntime, type RuntimeQuestion } from './node-runtime.ts'
import type { Session } from './session.ts'

export interface NodePlan {
  /** Lowest first. */
  readonly layers: readonly PlannedLayer[]
  readonly config: ConfigSpec
  readonly hidden: readonly HiddenBy[]
  /** A line each. */
  readonly decisions: readonly string[]
}

export interface NodeBase extends RuntimeQuestion {
  /** Reads the base; called only where its users must be known. */
  open(): Promise<BaseFiles>
  /** Of the spec itself, which lie on top. */
  readonly layers: readonly PlannedLayer[]
  readonly outputPaths: readonly string[]
}

/** Undefined for an image that is of no Node.js project. Throws what `planProject`, `checkEngines` and `checkNativeFiles` throw. */
export async function planNodeProject(
  spec: ImageSpec,
  question: NodeBase,
  session: Session,
): Promise<NodePlan | undefined> {
  const { node } = spec
  if (node === undefined) return undefined
  const { platform, base, open, outputPaths } = question
  const { environment, reporter, cacheDir } = session
  const { detectProject } = await import('../node/project/detect-project.ts')
  const { checkEngines, chooseNodeBase } = await import('../node/project/node-base.ts')
  const { chooseUser } = await import('../node/project/choose-user.ts')
  const { planProject } = await import('../node/project/plan-project.ts')
  const { checkNativeFiles } = await import('../node/project/native-files.ts')
  const project = await detectProject(spec.root, node.package)
  const runtime = await openRuntime(question, session)
  const told = releaseOfVariable(base.image.config?.config?.Env)
  await checkEngines(project, spec.baseText, async () => told?.version ?? (await runtime?.node())?.version)
  const user = await chooseUser({
    wanted: spec.config.user,
    ofBase: base.image.config?.config?.User,
    base: spec.base,
    lookup: (name) => lookUp(name, open, session),
  })
  const targetWith = (libc: Libc | undefined): NativeBase => ({
    name: spec.baseText,
    platform,
    libc,
    runtime,
  })
  const planFor = async (target: NativeBase): Promise<ProjectPlan> =>
    planProject({
      project,
      locked: await dependenciesOf(project, node, target, session),
      words: node,
      config: spec.config,
      compression: spec.compression,
      user,
      target,
      excludedPaths: [cacheDir, ...outputPaths],
      environment,
      reporter,
    })
  let target = targetWith(libcOf(spec, base))
  let plan = await planFor(target)
  if (target.libc === undefined && asksForLibc(plan)) {
    // Which of two packages ships depends on it, and no name tells: the base itself is looked at.
    target = targetWith(await runtime?.libc())
    if (target.libc !== undefined) plan = await planFor(target)
  }
  const native = await checkNativeFiles({
    placements: placementsOf(plan.layers),
    project,
    mount: node.workingDir,
    allow: node.allow,
    others: placementsOf(question.layers),
    base: target,
  })
  const reason = spec.baseDefaulted
    ? (await chooseNodeBase(project, environment.node.version)).reason
    : 'named by the spec or the command line'
  const { layers, hidden, config } = plan
  const system = [formatPlatform(platform), native.libc].filter((word) => word !== undefined).join(' with ')
  const decisions = [
    `base: ${spec.baseText} (${reason})`,
    ...plan.decisions,
    ...(native.files > 0
      ? [`native files: ${native.files}; what ${system} needs of them loads in the base`]
      : []),
  ]
  return { layers, hidden, config, decisions }
}

function placementsOf(layers: readonly PlannedLayer[]): readonly Placement[] {
  return layers.flatMap(({ placements }) => Array.from(eachPlacement(placements)))
}

/** Undefined where they are in `node_modules`. */
async function dependenciesOf(
  project: Project,
  { dependencies, workingDir }: NodeSpec,
  target: NativeBase,
  session: Session,
): Promise<LockedDependencies | undefined> {
  if (dependencies === 'lockfile') return lockProject(project, target, session)
  if (!project.isPlugAndPlay) return undefined
  const { plugAndPlay } = await import('../node/plug-and-play/pnp-dependencies.ts')
  return plugAndPlay(project, target, workingDir)
}

async function lockProject(
  project: Project,
  target: NativeBase,
  { cache, environment, options, reporter }: Session,
): Promise<LockedDependencies> {
  const { lockDependencies } = await import('../node/lockfile/lock-dependencies.ts')
  const { packagesDir } = cache
  const offline = options.offline === true
  return lockDependencies({ project, target, packagesDir, offline, environment, reporter })
}

/** A package may say it in its name alone: `image-linuxmusl-x64`, `image-linux-x64-gnu`. */
function asksForLibc({ closure }: ProjectPlan): boolean {
  const manifests = closure?.packages.map(({ manifest }) => manifest) ?? []
  return manifests.some(
    (manifest) =>
      manifest !== undefined &&
      (manifest.libc.length > 0 || (manifest.os.length > 0 && /musl|gnu|glibc/.test(manifest.name ?? ''))),
  )
}

/** Undefined where the base has no such user. */
async function lookUp(
  name: string,
  open: () => Promise<BaseFiles>,
  { cache }: Session,
): Promise<Owner | undefined> {
  const base = await open()
  const kept = base.owners?.get(name)
  if (kept !== undefined) return kept
  const read = async (path: string): Promise<string | undefined> => {
    const resolved = base.tree.resolve(path, { followLast: true })
    const type = base.tree.get(resolved)?.type
    if (type !== 'file' && type !== 'hardlink') return undefined
    const bytes = await readImageFile(base, resolved, { maxBytes: 4 * 1024 * 1024, cacheDir: cache.namesDir })
    return Buffer.from(bytes).toString('utf8')
  }
  const users = { passwd: await read('etc/passwd'), group: await read('etc/group') }
  try {
    const owner = resolveOwner(name, users)
    base.owners?.keep(name, owner)
    return owner
  } catch (error) {
    if (error instanceof OciBuildError && error.code === 'OCB-OWNER-UNKNOWN') return undefined
    throw error
  }
}
