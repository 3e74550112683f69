/** Images of Node.js projects: their base before anything is resolved, their layers and config over the base. */

import type { ConfigSpec, ImageSpec, ResolvedSpec } from '../config/resolved-spec.ts'
import type { BaseFiles } from '../layer/lower.ts'
import { OciBuildError } from '../errors.ts'
import type { Project } from '../node/project/detect-project.ts'
import type { LockedDependencies } from '../node/project/locked-dependencies.ts'
import type { NativeBase } from '../node/project/native-files.ts'
import { releaseOfVariable, type BaseRuntime, type Libc } from '../node/base-runtime.ts'
import type { ProjectPlan } from '../node/project/plan-project.ts'
import type { HiddenBy, PlannedLayer } from '../plan/placement.ts'
import { resolveOwner, type Owner } from '../rootfs/owners.ts'
import { readImageFile } from '../rootfs/read-image-file.ts'
import type { TextMemory } from '../rootfs/text-memory.ts'
import type { LayerEntry } from '../rootfs/tree-types.ts'
import { parseReference } from '../spec/parse-reference.ts'
import { formatPlatform, type Platform } from '../spec/platform.ts'
import type { OpenedBase } from './open-base.ts'
import type { Session } from './session.ts'

export interface NodePlan {
  /** Lowest first. */
  readonly layers: readonly PlannedLayer[]
  readonly config: ConfigSpec
  readonly hidden: readonly HiddenBy[]
  /** A line each. */
  readonly decisions: readonly string[]
}

export interface NodeBase {
  readonly platform: Platform
  readonly base: OpenedBase
  /** Reads the base; called only where its users must be known. */
  open(): Promise<BaseFiles>
  /** The entries of the base's layers, lowest first. */
  readNames(): Promise<readonly (readonly LayerEntry[])[]>
  /** What is kept of the base's programs. */
  readonly programs: TextMemory
  /** Of the spec itself, which lie on top. */
  readonly layers: readonly PlannedLayer[]
  readonly outputPaths: readonly string[]
}

/** Gives the images of Node.js projects that name no base the one that their project wants. */
export async function chooseNodeBases(spec: ResolvedSpec, { environment }: Session): Promise<ResolvedSpec> {
  if (!spec.images.some(({ node, baseDefaulted }) => node !== undefined && baseDefaulted)) return spec
  const { detectProject } = await import('../node/project/detect-project.ts')
  const { chooseNodeBase } = await import('../node/project/node-base.ts')
  const images: ImageSpec[] = []
  for (const image of spec.images) {
    if (image.node === undefined || !image.baseDefaulted) {
      images.push(image)
      continue
    }
    const project = await detectProject(image.root, image.node.package)
    const { reference } = await chooseNodeBase(project, environment.node.version)
    images.push({ ...image, base: parseReference(reference, 'in'), baseText: reference })
  }
  return { ...spec, images }
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
      locked: node.dependencies === 'lockfile' ? await lockProject(project, target, session) : undefined,
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
    placements: plan.layers.flatMap(({ placements }) => placements),
    project,
    mount: node.workingDir,
    allow: node.allow,
    others: question.layers.flatMap(({ placements }) => placements),
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

/** What the base gives to native files; undefined where there is nothing in it. */
async function openRuntime(
  { base, platform, readNames, programs }: NodeBase,
  { environment, cache, options }: Session,
): Promise<BaseRuntime | undefined> {
  const { image, layers } = base
  const { store } = image
  const env = image.config?.config?.Env
  if (store !== undefined && image.layers.length > 0) {
    const { imageBaseRuntime } = await import('../node/image-provides.ts')
    const { namesDir } = cache
    const { signal } = options
    return imageBaseRuntime({
      store,
      layers: image.layers,
      platform,
      env,
      readNames,
      memory: programs,
      cacheDir: namesDir,
      signal,
    })
  }
  const { version } = environment.node
  const { modulesOf } = await import('../node/node-abi.ts')
  const { hostBaseRuntime } = await import('../node/host-provides.ts')
  const placements = layers.flatMap((layer) => layer.placements)
  return placements.length > 0
    ? hostBaseRuntime(placements, { version, modules: modulesOf(version) })
    : undefined
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

/** Undefined where nothing tells without reading the base. */
function libcOf({ base }: ImageSpec, { layers }: OpenedBase): Libc | undefined {
  if (base.transport === 'host') {
    const isMusl = layers.some(({ placements }) =>
      placements.some(({ path }) => /\/ld-musl-[^/]*$/.test(path)),
    )
    return isMusl ? 'musl' : 'glibc'
  }
  if (base.transport !== 'docker' || base.repository !== 'library/node') return undefined
  if (base.tag === undefined) return undefined
  return base.tag.includes('alpine') ? 'musl' : 'glibc'
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
