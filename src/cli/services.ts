/** The pipeline as commands call it: loaded when an action runs, replaced by tests. */

import type { BuildOptions, BuildPlan, BuildResult } from '../build-types.ts'

export interface CliServices {
  build(options: BuildOptions): Promise<BuildResult>
  createPlan(options: BuildOptions): Promise<BuildPlan>
}

/** `src/build.ts`, imported on the first call. */
export const lazyServices: CliServices = {
  build: async (options) => (await import('../build.ts')).build(options),
  createPlan: async (options) => (await import('../build.ts')).createPlan(options),
}
