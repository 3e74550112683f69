/** The pipeline: config, plan, layers, image, outputs. */

import type { BuildOptions, BuildPlan, BuildResult } from './build-types.ts'
import { loadConfig } from './config/load-config.ts'
import { resolveConfig } from './config/resolve-config.ts'
import type { ResolvedSpec } from './config/resolved-spec.ts'
import { buildImages } from './pipeline/build-image.ts'
import { deliver } from './pipeline/deliver.ts'
import { prepareOutputs } from './pipeline/outputs.ts'
import { planImages } from './pipeline/plan-image.ts'
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
    const spec = await readSpec(session)
    const outputs = prepareOutputs(spec, session)
    await runAllPrepare(spec, session)
    const plans = await planImages(spec, session)
    const staged = await buildImages(plans, outputs, session)
    session.checkStrict()
    const written = await deliver(staged, outputs, session)
    return {
      schemaVersion: 1,
      images: staged.map((image, index) => imageResult(image, written[index] ?? [], session)),
      warnings: session.warnings,
      durationMs: Math.round(session.elapsedMs()),
    }
  })
}

/** The same pipeline up to the plan: runs no `prepare`, compresses nothing, writes no output. */
export function createPlan(options: BuildOptions = {}): Promise<BuildPlan> {
  return withSession(options, async (session) => {
    const spec = await readSpec(session)
    const plans = await planImages(spec, session)
    session.checkStrict()
    return planView(spec, plans, session)
  })
}

async function readSpec(session: Session): Promise<ResolvedSpec> {
  const { cwd, cache, environment, options } = session
  const { config, spec, args, images, overrides = {} } = options
  const loaded = await loadConfig({ cwd, config, spec, args, compiledDir: cache.compiledDir, environment })
  const resolved = await resolveConfig(loaded, overrides, { cwd: environment.cwd, images, environment })
  session.registries.configure(resolved.registries, resolved.folder)
  return resolved
}
