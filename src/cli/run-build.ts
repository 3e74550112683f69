/** What `build` does: runs the pipeline, shows progress, prints the result. */

import { resolve } from 'node:path'
import type { BuildOptions, BuildResult } from '../build-types.ts'
import { OciBuildError } from '../errors.ts'
import type { BuildFlags } from './build.ts'
import type { CliContext } from './context.ts'
import { metadataOf } from './metadata-file.ts'
import { ownName } from './own-name.ts'
import { createProgress } from './progress.ts'
import { writeFileFor } from './write-file.ts'
import type { CliServices } from './services.ts'
import { formatSummary } from './summary.ts'

/** Runs one build. Throws what the pipeline throws, after progress is off the screen. */
export async function runBuild(
  options: BuildOptions,
  flags: BuildFlags,
  context: CliContext,
  services: CliServices,
): Promise<void> {
  if (flags.json === true && flags.output?.some(isStdout) === true) {
    throw new OciBuildError('OCB-USAGE-OPTION', {
      message: '--json and an output to stdout would mix on stdout',
      hint: 'use --metadata-file FILE for the result, or write the image to a file',
    })
  }
  if (flags.dryRun === true) {
    const { printPlan } = await import('./print-plan.ts')
    return printPlan(options, { json: flags.json === true, all: false }, context, services)
  }
  const stdout = isTerminal(context.rawStdout) ? undefined : context.rawStdout
  if (stdout === undefined && flags.output?.some(isStdout) === true) throw terminalRefused()
  const mode = flags.quiet === true ? 'none' : flags.progress
  const progress = await createProgress(mode, context, { warnings: flags.quiet !== true })
  let result: BuildResult
  try {
    result = await services.build({
      ...options,
      prepare: flags.prepare,
      signal: context.signal,
      onEvent: progress.onEvent,
      stdout,
    })
    progress.close('done')
  } catch (error) {
    progress.close('failed')
    const refused = error instanceof OciBuildError && error.code === 'OCB-USAGE-STDOUT'
    throw refused ? terminalRefused() : error
  }
  if (flags.metadataFile !== undefined) {
    const file = resolve(context.environment.cwd, flags.metadataFile)
    writeFileFor(file, `${JSON.stringify(metadataOf(result), null, 2)}\n`)
  }
  if (flags.quiet !== true && flags.progress !== 'json') {
    context.stderr(formatSummary(result, context, ownName(context.environment)))
  }
  printResult(result, flags, context)
}

function printResult(result: BuildResult, flags: BuildFlags, context: CliContext): void {
  // With an archive on stdout, words there would end up in the archive.
  const taken = result.images.some((image) => image.outputs.some((output) => isStdout(output.ref)))
  const print = taken ? context.stderr : context.stdout
  if (flags.json === true) return print(`${JSON.stringify(result, null, 2)}\n`)
  for (const { reference } of result.images) if (!isStdout(reference)) print(`${reference}\n`)
}

function isTerminal(stream: object): boolean {
  return 'isTTY' in stream && stream.isTTY === true
}

function terminalRefused(): OciBuildError {
  return new OciBuildError('OCB-USAGE-STDOUT', {
    message: 'an archive is not written to a terminal',
    hint: 'redirect stdout to a file or a program, or name a file: oci-archive:FILE',
  })
}

function isStdout(output: string): boolean {
  return /^[a-z-]+:-(?:$|:)/.test(output)
}
