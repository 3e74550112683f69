/** The library: the pipeline and the words to speak to it. Prints nothing, exits nothing, reads no argv. */

export { build, compareLock, createPlan, lock } from './build.ts'
export type {
  BuildOptions,
  BuildPlan,
  BuildResult,
  ImagePlanView,
  ImageResult,
  LayerPlanView,
  LayerResult,
  LockChange,
  LockCheck,
  LockResult,
  OutputResult,
  PlannedEntryView,
  PlatformPlanView,
  PlatformResult,
} from './build-types.ts'
export { defineConfig, semverTags } from './config/define-config.ts'
export { loadConfig } from './config/load-config.ts'
export type { LoadedConfig, LoadOptions } from './config/load-config.ts'
export type { SpecOverrides } from './config/overrides.ts'
export type * from './config/spec-types.ts'
export { processEnvironment } from './environment.ts'
export type { Environment } from './environment.ts'
export { OciBuildError } from './errors.ts'
export type { ErrorCode, Problem } from './errors.ts'
export type { BuildEvent, EventListener, Stage, Warning } from './events.ts'
export type { Descriptor } from './spec/descriptor.ts'
export type { Digest } from './spec/digest.ts'
export type { Platform } from './spec/platform.ts'
