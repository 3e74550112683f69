/** What a validation found, as lines or as JSON. */

import { resolve } from 'node:path'
import { validateImage, type ValidateOptions, type ValidationReport } from '../image/validate-image.ts'
import { validateLayout } from '../image/validate-layout.ts'
import { formatReference } from '../spec/parse-reference.ts'
import type { Reference } from '../spec/reference.ts'
import type { CliContext } from './context.ts'
import { exitStatus } from './exit-status.ts'
import { formatBytes, formatCount } from './format.ts'
import { readImageArgument, withImage } from './image-argument.ts'
import { createPaint, type Paint } from './paint.ts'
import { printable } from './printable.ts'

export interface ValidateRequest {
  readonly json?: boolean | undefined
  readonly fast?: boolean | undefined
}

/** Prints every finding, then a summary; errors among them set the exit status. */
export async function printValidation(
  ref: string | undefined,
  request: ValidateRequest,
  context: CliContext,
): Promise<void> {
  const reference = readImageArgument(ref, context.environment)
  const report = await validate(reference, { fast: request.fast, signal: context.signal }, context)
  const text = formatReference(reference)
  if (request.json === true) {
    context.stdout(`${JSON.stringify({ schemaVersion: 1, reference: text, ...report }, null, 2)}\n`)
  } else context.stdout(formatReport(report, text, createPaint(context.stdoutColors)))
  if (!report.valid) context.setExitStatus(exitStatus.failed)
}

async function validate(
  reference: Reference,
  options: ValidateOptions,
  context: CliContext,
): Promise<ValidationReport> {
  const isWholeLayout =
    reference.transport === 'oci' && reference.ref === undefined && reference.digest === undefined
  if (isWholeLayout) {
    const dir = resolve(context.environment.cwd, reference.path)
    return await validateLayout(dir, { ...options, all: options.fast !== true })
  }
  return await withImage(
    reference,
    context,
    async ({ store, root }) => await validateImage(store, root, options),
  )
}

/** The text, with a last newline. */
export function formatReport(report: ValidationReport, reference: string, paint: Paint): string {
  const { findings, notes, blobs, bytes } = report
  const lines = findings.map(({ severity, code, where, message }) => {
    const word = severity === 'error' ? paint('red', 'error') : paint('yellow', 'warning')
    return `${word} ${code} ${printable(`${where}: ${message}`)}`
  })
  const noted = notes.map(({ where, message }) => printable(`note ${where}: ${message}`))
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const verdict = report.valid ? paint('green', 'valid') : paint('red', 'not valid')
  const counts = [formatCount(errors, 'error'), formatCount(findings.length - errors, 'warning')]
  const read = `${formatCount(blobs, 'blob')}, ${formatBytes(bytes)} read`
  return `${[...lines, ...noted, `${reference} is ${verdict}: ${counts.join(', ')}; ${read}`].join('\n')}\n`
}
