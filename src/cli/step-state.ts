/** What is known of the steps that run: titles, counts and rates. */

import type { BuildEvent, Stage } from '../events.ts'
import { formatBytes } from './format.ts'
import { printable } from './printable.ts'

export interface RunningStep {
  readonly id: string
  readonly stage: Stage
  readonly title: string
  readonly unit: 'bytes' | 'files' | undefined
  readonly startedMs: number
  done: number
  total: number | undefined
  /** The last line that a child process printed. */
  lastLine: string | undefined
}

/** The steps that run, in the order they began; `take` feeds it events. */
export class StepState {
  readonly running: Map<string, RunningStep> = new Map()

  /** Notes an event; `nowMs` is monotonic. */
  take(event: BuildEvent, nowMs: number): void {
    if (event.type === 'step-start') {
      const { id, stage, unit, total } = event
      const state = { done: 0, total, lastLine: undefined }
      this.running.set(id, { id, stage, title: oneLine(event.title), unit, startedMs: nowMs, ...state })
    } else if (event.type === 'step-progress') {
      const step = this.running.get(event.id)
      if (step === undefined) return
      step.done = event.done
      step.total = event.total ?? step.total
    } else if (event.type === 'output-line') {
      const step = this.running.get(event.id)
      if (step !== undefined) step.lastLine = event.line
    } else if (event.type === 'step-end') {
      this.running.delete(event.id)
    }
  }
}

/** A title that is a script of several lines, as one. */
export function oneLine(title: string): string {
  return printable(title.trim().replaceAll(/\s*\n\s*/g, '; '))
}

/** `12.3 MB of 27.0 MB, 34.0 MB/s`, or without ` of 27.0 MB`; '' before there is anything to say. */
export function formatCounts(
  step: RunningStep,
  nowMs: number,
  show: { readonly total: boolean } = { total: true },
): string {
  const { unit, done, total, startedMs } = step
  if (unit === undefined || (done === 0 && total === undefined)) return ''
  const format = unit === 'bytes' ? formatBytes : formatNumber
  const whole = total !== undefined && show.total ? ` of ${format(total)}` : ''
  const counts = `${format(done)}${whole}${unit === 'files' ? ' files' : ''}`
  const seconds = (nowMs - startedMs) / 1000
  // A rate over less says more about noise than about speed.
  if (seconds < 0.5 || done === 0) return counts
  return `${counts}, ${format(Math.round(done / seconds))}/s`
}

function formatNumber(value: number): string {
  return value.toLocaleString('en-US')
}
