/** Images of Node.js projects: their base before anything is resolved, their layers and config over the base. */

import type { ConfigSpec, ImageSpec, ResolvedSpec } from '../config/resolved-spec.ts'
import type { BaseFiles } from '../layer/lower.ts'
import { OciBuildError } from '../errors.ts'
import type { Project } from '../node/project/detect-project.ts'
import type { LockedDependencies } from '../node/project/locked-dependencies.ts'
import type { NativeBase } from '../node/project/native-files.ts'
import type { HiddenBy, PlannedLayer } from '../plan/placement.ts'
import { resolveOwner, type Owner } from '../rootfs/owners.ts'
import { readImageFile } from '../rootfs/read-image-file.ts'
import { parseReference } from '../spec/parse-reference.ts'
import type { Platform } from '../spec/platform.ts'
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

/** Undefined for an image that is of no Node.js project. Throws what `planProject` and `checkEngines` throw. */
export async function planNodeProject(
  spec: ImageSpec,
  { platform, base, open, outputPaths }: NodeBase,
  session: Session,
): Promise<NodePlan | undefined> {
  const { node } = spec
  if (node === undefined) return undefined
  const { environment, reporter, cacheDir } = session
  const { detectProject } = await import('../node/project/detect-project.ts')
  const { checkEngines, chooseNodeBase } = await import('../node/project/node-base.ts')
  const { chooseUser } = await import('../node/project/choose-user.ts')
  const { planProject } = await import('../node/project/plan-project.ts')
  const project = await detectProject(spec.root, node.package)
  const { config } = base.image
  await checkEngines(project, spec.baseText, variable(config?.config?.Env, 'NODE_VERSION'))
  const user = await chooseUser({
    wanted: spec.config.user,
    ofBase: config?.config?.User,
    base: spec.base,
    lookup: (name) => lookUp(name, open, session),
  })
  const target = { name: spec.baseText, platform, libc: libcOf(spec, base), libraries: librariesOf(base) }
  const locked = node.dependencies === 'lockfile' ? await lockProject(project, target, session) : undefined
  const plan = planProject({
    project,
    locked,
    words: node,
    config: spec.config,
    compression: spec.compression,
    user,
    target,
    excludedPaths: [cacheDir, ...outputPaths],
    environment,
    reporter,
  })
  const reason = spec.baseDefaulted
    ? (await chooseNodeBase(project, environment.node.version)).reason
    : 'named by the spec or the command line'
  const { layers, hidden } = plan
  const decisions = [`base: ${spec.baseText} (${reason})`, ...plan.decisions]
  return { layers, hidden, config: plan.config, decisions }
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

function variable(env: readonly string[] | undefined, name: string): string | undefined {
  return env?.find((item) => item.startsWith(`${name}=`))?.slice(name.length + 1)
}

/** Undefined where nothing tells without reading the base. */
function libcOf({ base }: ImageSpec, { layers }: OpenedBase): 'glibc' | 'musl' | undefined {
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

/** Those of `host:node`, which lie on this host. */
function librariesOf({ layers }: OpenedBase): ReadonlyMap<string, string> {
  const libraries = new Map<string, string>()
  for (const placement of layers.flatMap(({ placements }) => placements)) {
    if (placement.type !== 'file' || placement.source.kind !== 'host') continue
    const name = placement.path.slice(placement.path.lastIndexOf('/') + 1)
    if (/\.so(?:\.\d+)*$/.test(name)) libraries.set(name, placement.source.path)
  }
  return libraries
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
