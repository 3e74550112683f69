/** Errors and warnings as text and as JSON. */

import { inspect } from 'node:util'
import { asBuildError, type Problem } from '../errors.ts'
import type { Warning } from '../events.ts'
import type { Paint } from './paint.ts'
import { printable, printableLines } from './printable.ts'

/** The `error` that `--json` prints (contract, section 4). */
export interface ErrorView {
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
  readonly problems: readonly Problem[]
}

/** The code of what nobody threw on purpose. */
export const unexpectedCode = 'OCB-UNEXPECTED'

export function viewError(error: unknown): ErrorView {
  const { code, message, hint, problems } = asBuildError(error)
  return { code, message, hint: code === unexpectedCode ? unexpectedHint : hint, problems }
}

const unexpectedHint = 'this is a fault of ocibuild, not of your spec; run it again with -v to see the stack'

/** The text of an error, with a last newline: message, each problem on its line, hint; with `verbose` the stack. */
export function formatError(error: unknown, paint: Paint, verbose: boolean): string {
  const { code, message, hint, problems } = viewError(error)
  const lines = [`${paint(['red', 'bold'], 'error')} ${paint('bold', code)}: ${printableLines(message)}`]
  for (const problem of problems) lines.push(`  ${formatProblem(problem, paint)}`)
  if (hint !== undefined && !(verbose && code === unexpectedCode)) {
    lines.push(`${paint('cyan', 'hint')}: ${printableLines(hint)}`)
  }
  if (verbose) lines.push(paint('dim', inspect(error, { depth: 4 })))
  return `${lines.join('\n')}\n`
}

/** `file:line:column path: message`, each part where it is known. */
export function formatProblem(problem: Problem, paint: Paint): string {
  const { file, line, column } = problem
  const path = printable(problem.path)
  const message = printableLines(problem.message)
  const place = [file, line, column].filter((part) => part !== undefined).join(':')
  const where = [place, path === '' ? '' : paint('bold', path)].filter((part) => part !== '').join(' ')
  return where === '' ? message : `${where}: ${message}`
}

/** `warning OCB-X: message`, and the hint on a line of its own; with a last newline. */
export function formatWarning(warning: Warning, paint: Paint): string {
  const { code, message, hint } = warning
  const text = `${paint('yellow', 'warning')} ${paint('bold', code)}: ${printableLines(message)}\n`
  return hint === undefined ? text : `${text}${paint('cyan', 'hint')}: ${printableLines(hint)}\n`
}
