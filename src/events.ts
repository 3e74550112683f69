/** What the pipeline tells a listener while it works. The library prints nothing; the command line draws these. */

/** A warning's code is as stable as an error's. */
export interface Warning {
  readonly code: `OCB-${string}`
  readonly message: string
  readonly hint?: string | undefined
}

/** The stages of `design`: each step belongs to one. */
export type Stage = 'config' | 'prepare' | 'base' | 'plan' | 'layer' | 'image' | 'output'

export type BuildEvent =
  /** A piece of work began. `id` is unique in the build; `total` is in `unit`s when it is known. */
  | {
      readonly type: 'step-start'
      readonly id: string
      readonly stage: Stage
      readonly title: string
      readonly total?: number | undefined
      readonly unit?: 'bytes' | 'files' | undefined
    }
  /** `done` counts from 0 to `total`, in the step's unit. */
  | {
      readonly type: 'step-progress'
      readonly id: string
      readonly done: number
      readonly total?: number | undefined
    }
  /** `detail` is a short result: `12.3 MB, sha256:…`, `cached`. */
  | {
      readonly type: 'step-end'
      readonly id: string
      readonly stage: Stage
      readonly title: string
      readonly detail?: string | undefined
      readonly cached?: boolean | undefined
      /** What came of it, as stored. */
      readonly bytes?: number | undefined
      readonly durationMs: number
    }
  /** A line that a child process of `prepare` printed. */
  | { readonly type: 'output-line'; readonly id: string; readonly line: string }
  | { readonly type: 'warning'; readonly warning: Warning }

export type EventListener = (event: BuildEvent) => void

/** What every stage gets to speak with: events out, an abort signal in. */
export interface Reporter {
  readonly signal: AbortSignal | undefined
  emit(event: BuildEvent): void
  warn(code: Warning['code'], message: string, hint?: string): void
  /**
   * Runs `work` between a step-start and a step-end. `work` returns its value and, for the step-end,
   * a detail; `progress` emits step-progress.
   */
  step<T>(
    start: { stage: Stage; title: string; total?: number | undefined; unit?: 'bytes' | 'files' | undefined },
    work: (step: StepHandle) => Promise<T>,
  ): Promise<T>
}

export interface StepHandle {
  readonly id: string
  progress(done: number, total?: number): void
  /** Sets what the step-end says. */
  finish(result: { detail?: string; cached?: boolean; bytes?: number }): void
}

/** A reporter over a listener; `now` is a monotonic clock in milliseconds. Collects warnings in `warnings`. */
export function createReporter(
  listener: EventListener | undefined,
  signal: AbortSignal | undefined,
  now: () => number,
): Reporter & { readonly warnings: readonly Warning[] } {
  const warnings: Warning[] = []
  let steps = 0
  const emit = (event: BuildEvent): void => listener?.(event)
  return {
    signal,
    warnings,
    emit,
    warn(code, message, hint) {
      // The same words twice (one layer on two platforms) tell nobody anything new.
      if (warnings.some((seen) => seen.code === code && seen.message === message)) return
      const warning: Warning = { code, message, hint }
      warnings.push(warning)
      emit({ type: 'warning', warning })
    },
    async step(start, work) {
      steps += 1
      const id = `step-${steps}`
      const { stage, title } = start
      const startedMs = now()
      let result: Parameters<StepHandle['finish']>[0] = {}
      emit({ type: 'step-start', id, ...start })
      const value = await work({
        id,
        progress: (done, total) => emit({ type: 'step-progress', id, done, total }),
        finish(found) {
          result = found
        },
      })
      emit({ type: 'step-end', id, stage, title, ...result, durationMs: now() - startedMs })
      return value
    },
  }
}
