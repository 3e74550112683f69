/** The pipeline: config, plan, layers, image, outputs. */

import type { BuildOptions, BuildPlan, BuildResult, LockCheck, LockResult } from './build-types.ts'
import { loadConfig } from './config/load-config.ts'
import { resolveConfig } from './config/resolve-config.ts'
import type { ImageSpec, ResolvedSpec } from './config/resolved-spec.ts'
import { affectedImages } from './pipeline/affected-images.ts'
import { buildImages } from './pipeline/build-image.ts'
import { cacheSourcesOf } from './pipeline/cache-sources.ts'
import { deliver } from './pipeline/deliver.ts'
import { chooseNodeBases } from './pipeline/node-bases.ts'
import { keepLimit } from './pipeline/keep-limit.ts'
import { pushHostsOf } from './pipeline/output-places.ts'
import { prepareOutputs } from './pipeline/outputs.ts'
import { checkLock, openPins, writeLock } from './pipeline/lock-images.ts'
import { planImages } from './pipeline/plan-image.ts'
import { openPlannedMemory } from './pipeline/plan-layers-over.ts'
import { planView } from './pipeline/plan-view.ts'
import { runAllPrepare } from './pipeline/prepare.ts'
import { imageResult } from './pipeline/result.ts'
import { withSession, type Session } from './pipeline/session.ts'

/**
 * Builds every image of a spec and writes it to its outputs. Prints nothing; progress and warnings go to
 * `options.onEvent`. Throws `OciBuildError`; whatever happens, what the outputs held before stays whole until the
 * very end of each.
 */
export function build(options: BuildOptions = {}): Promise<BuildResult> {
  return withSession(options, async (session) => {
    const { spec, affected } = await affectedImages(await readSpec(session), session)
    const pins = await openPins(spec, session)
    const outputs = prepareOutputs(spec, session)
    await runAllPrepare(spec, session)
    const asksByContents = (image: ImageSpec): boolean => cacheSourcesOf(image, outputs, session).length > 0
    const plans = await planImages(spec, {
      session,
      pins,
      memory: openPlannedMemory(session),
      makesLayers: true,
      asksByContents,
    })
    const staged = await buildImages(plans, outputs, session)
    session.checkStrict()
    const written = await deliver(staged, outputs, session)
    keepLimit(staged, session)
    return {
      schemaVersion: 1,
      images: staged.map((image, index) => imageResult(image, written[index] ?? [], session)),
      ...(affected && { affected }),
      warnings: session.warnings,
      durationMs: Math.round(session.elapsedMs()),
    }
  })
}

/** The same pipeline up to the plan: runs no `prepare`, compresses nothing, writes no output. */
export function createPlan(options: BuildOptions = {}): Promise<BuildPlan> {
  return withSession(options, async (session) => {
    const { spec, affected } = await affectedImages(await readSpec(session), session)
    const plans = await planImages(spec, { session, pins: await openPins(spec, session) })
    session.checkStrict()
    return { ...(await planView(spec, plans, session)), ...(affected && { affected }) }
  })
}

/**
 * Writes `oci.lock` beside the config: what every reference of the spec resolves to now, and the facts about the bases
 * that it needs. Runs `prepare` as a build does, writes no output. `update` leaves all other references as they are.
 */
export function lock(
  options: BuildOptions & { readonly update?: readonly string[] | undefined } = {},
): Promise<LockResult> {
  // A lock is of all images, or it would lose the bases of the others.
  return withSession({ ...options, images: undefined }, async (session) => {
    const spec = await readSpec(session)
    await runAllPrepare(spec, session)
    return writeLock(spec, options.update, session)
  })
}

/** Resolves every reference of the spec again and tells which of them `oci.lock` has otherwise. Writes nothing. */
export function compareLock(options: BuildOptions = {}): Promise<LockCheck> {
  const all = { ...options, images: undefined }
  return withSession(all, async (session) => checkLock(await readSpec(session), session))
}

async function readSpec(session: Session): Promise<ResolvedSpec> {
  const { cwd, cache, environment, options } = session
  const { config, spec, args, git, images, overrides = {} } = options
  const loaded = await loadConfig({
    cwd,
    config,
    spec,
    args,
    git,
    compiledDir: cache.compiledDir,
    environment,
  })
  const resolved = await resolveConfig(loaded, overrides, { cwd: environment.cwd, images, environment })
  const { registries: fromSpec, folder } = resolved
  session.registries.configure({ fromSpec, folder, pushHosts: pushHostsOf(resolved, options.cacheTo) })
  return chooseNodeBases(resolved, session)
}
