/** Progress for logs: one line a finished step, and a sign of life every ten seconds of a long one. */

import type { BuildEvent } from '../events.ts'
import type { CliContext } from './context.ts'
import { formatBytes, formatDuration } from './format.ts'
import { createPaint, type Paint } from './paint.ts'
import { formatWarning } from './print-error.ts'
import type { ProgressView } from './progress.ts'
import { formatCounts, oneLine, StepState } from './step-state.ts'

const signOfLifeMs = 10_000

/** What is said after the first interrupt, without a last newline. */
export const interruptedText = 'interrupted: stopping cleanly; interrupt again to stop at once'

/** A view that writes `layer    app  12.3 MB  1.2 s`, and what children print as it comes. */
export function createPlainProgress(context: CliContext): ProgressView {
  const { environment } = context
  const paint = createPaint(context.colors)
  const steps = new StepState()
  const lastLineMs = new Map<string, number>()
  const onEvent = (event: BuildEvent): void => {
    const nowMs = environment.now()
    steps.take(event, nowMs)
    if (event.type === 'warning') context.stderr(formatWarning(event.warning, paint))
    if (event.type === 'step-end') context.stderr(`${formatStepEnd(event, paint)}\n`)
    if (event.type === 'output-line') context.stderr(`${paint('dim', `  | ${event.line}`)}\n`)
    if (event.type === 'step-start') {
      lastLineMs.set(event.id, nowMs)
      // A command's own lines follow: say whose they are.
      if (event.stage === 'prepare') context.stderr(`${stageCell(event.stage)}${oneLine(event.title)}\n`)
    }
    if (event.type === 'step-progress') {
      const step = steps.running.get(event.id)
      if (step === undefined || nowMs - (lastLineMs.get(event.id) ?? nowMs) < signOfLifeMs) return
      lastLineMs.set(event.id, nowMs)
      const counts = formatCounts(step, nowMs)
      context.stderr(`${stageCell(step.stage)}${step.title}  ${paint('dim', `… ${counts}`)}\n`)
    }
  }
  const onAbort = (): void => context.stderr(`${interruptedText}\n`)
  context.signal.addEventListener('abort', onAbort, { once: true })
  return { onEvent, close: () => context.signal.removeEventListener('abort', onAbort) }
}

/** `layer    app  12.3 MB  1.2 s`. */
export function formatStepEnd(event: Extract<BuildEvent, { type: 'step-end' }>, paint: Paint): string {
  const { stage, title, detail, cached, bytes, durationMs } = event
  const parts = [paint('bold', oneLine(title))]
  if (cached === true && detail?.includes('cached') !== true) parts.push(paint('cyan', 'cached'))
  if (bytes !== undefined) parts.push(formatBytes(bytes))
  if (detail !== undefined && detail !== '') parts.push(detail)
  parts.push(paint('dim', formatDuration(durationMs)))
  return stageCell(stage) + parts.join('  ')
}

/** A stage's name, as wide as the widest and two spaces more. */
export function stageCell(stage: string): string {
  return stage.padEnd('prepare'.length + 2)
}
