/** Progress for a terminal: finished steps scroll up, running ones are redrawn below them. */

import type { BuildEvent } from '../events.ts'
import type { CliContext } from './context.ts'
import { formatDuration } from './format.ts'
import { createPaint, type Paint } from './paint.ts'
import { formatStepEnd, interruptedText, stageCell } from './plain-progress.ts'
import { formatWarning } from './print-error.ts'
import type { ProgressView } from './progress.ts'
import { formatCounts, StepState, type RunningStep } from './step-state.ts'

const frameMs = 80
/** Narrower windows get shorter bars, and counts without their total. */
const wideColumns = 100
/** Columns that stage, bar and counts take at most beside a title: in wide and in narrow windows. */
const besideTitle = { wide: 78, narrow: 56 }
/** A step that runs shorter than this is never drawn: its end says all. */
const patienceMs = 120

/**
 * A view with bars. The cursor comes back when it is closed and when the process ends. `stream` is the terminal
 * to draw on; default stderr.
 */
export async function createLiveProgress(
  context: CliContext,
  stream: NodeJS.WriteStream = process.stderr,
): Promise<ProgressView> {
  const paint = createPaint(context.colors)
  const now = context.environment.now
  const steps = new StepState()
  const { createLogUpdate } = await import('log-update')
  const update = createLogUpdate(stream)
  let frame = 0
  const draw = (): void => {
    const nowMs = now()
    const width = stream.columns ?? 80
    const visible = [...steps.running.values()].filter((step) => nowMs - step.startedMs >= patienceMs)
    const widest = Math.max(0, ...visible.map((step) => step.title.length))
    const titleWidth = Math.min(
      widest,
      Math.max(16, width - besideTitle[width < wideColumns ? 'narrow' : 'wide']),
    )
    // A frame that is taller than the window cannot be redrawn in place.
    const lines = visible
      .flatMap((step) => formatRunning(step, { nowMs, width, titleWidth, frame, paint }))
      .slice(-Math.max(1, (stream.rows ?? 24) - 2))
    if (lines.length === 0) update.clear()
    else update(lines.join('\n'))
  }
  const timer = setInterval(() => {
    frame += 1
    draw()
  }, frameMs)
  timer.unref()
  // Not `persist`: it breaks long lines for good, and a digest that was cut in two cannot be copied.
  const say = (text: string): void => {
    update.clear()
    stream.write(`${text.trimEnd()}\n`)
    draw()
  }

  const onEvent = (event: BuildEvent): void => {
    steps.take(event, now())
    if (event.type === 'warning') say(formatWarning(event.warning, paint))
    if (event.type === 'step-end') {
      // A whole digest is longer than most windows are wide; the summary and the log have it.
      const detail = event.detail?.replaceAll(/(sha256:[a-f0-9]{12})[a-f0-9]+/g, '$1')
      say(`${paint('green', '✔')} ${formatStepEnd({ ...event, detail }, paint)}`)
    }
    if (event.type === 'output-line' && context.verbose) say(paint('dim', `  | ${printable(event.line)}`))
  }
  const onAbort = (): void => say(interruptedText)
  context.signal.addEventListener('abort', onAbort, { once: true })
  const close = (outcome: 'done' | 'failed'): void => {
    clearInterval(timer)
    context.signal.removeEventListener('abort', onAbort)
    update.clear()
    const unfinished = [...steps.running.values()]
    steps.running.clear()
    if (outcome === 'failed') {
      for (const { stage, title } of unfinished) say(`${paint('red', '✖')} ${stageCell(stage)}${title}`)
    }
    update.done()
  }
  return { onEvent, close }
}

interface Drawing {
  readonly nowMs: number
  /** Columns of the terminal. */
  readonly width: number
  /** Columns of the widest title, so that bars stand below each other. */
  readonly titleWidth: number
  readonly frame: number
  readonly paint: Paint
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/** The lines of one running step, none wider than the terminal. */
export function formatRunning(step: RunningStep, drawing: Drawing): string[] {
  const { nowMs, width, titleWidth, frame, paint } = drawing
  const head = `${spinner[frame % spinner.length]} ${stageCell(step.stage)}`
  const narrow = width < wideColumns
  const hasBar = step.total !== undefined && step.total > 0
  const bar = hasBar ? formatBar(step.done / (step.total ?? 1), narrow ? 12 : 24) : undefined
  const counts =
    formatCounts(step, nowMs, { total: !(narrow && hasBar) }) || formatDuration(nowMs - step.startedMs)
  const tail = bar === undefined ? counts : `${bar.full}${bar.rest} ${bar.percent}  ${counts}`
  const room = width - 1 - head.length - 2 - tail.length
  // In a narrow window the name says more than the bar.
  if (room < 12) {
    const short = cut(`${head}${step.title}  ${bar === undefined ? '' : bar.percent}`, width - 1)
    return [short.trimEnd()]
  }
  const title =
    bar === undefined
      ? cut(step.title, room).padEnd(Math.min(titleWidth, room))
      : cut(step.title, Math.min(titleWidth, room)).padEnd(Math.min(titleWidth, room))
  const line =
    bar === undefined
      ? paint('dim', counts)
      : `${paint('green', bar.full)}${paint('dim', bar.rest)} ${bar.percent}  ${paint('dim', counts)}`
  const lines = [`${paint('cyan', head.slice(0, 1))}${head.slice(1)}${paint('bold', title)}  ${line}`]
  if (step.lastLine !== undefined) lines.push(paint('dim', cut(`  | ${printable(step.lastLine)}`, width - 1)))
  return lines
}

function formatBar(share: number, width: number): { full: string; rest: string; percent: string } {
  const bounded = Math.min(1, Math.max(0, share))
  const full = Math.round(bounded * width)
  const percent = `${String(Math.floor(bounded * 100)).padStart(3)} %`
  return { full: '━'.repeat(full), rest: '─'.repeat(width - full), percent }
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

/** Without escape sequences and control characters: a child's line must not move our cursor. */
function printable(line: string): string {
  return line.replaceAll(/\u001B\[[0-9;?]*[A-Za-z]|[\u0000-\u001F\u007F]/g, '')
}
