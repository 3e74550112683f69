/** What `lock` does, and how it is told. */

import { relative } from 'node:path'
import type { LockChange, LockCheck, LockResult } from '../build-types.ts'
import { OciBuildError } from '../errors.ts'
import { toBuildOptions } from './build-options.ts'
import type { CliContext } from './context.ts'
import { looksLikeDir } from './existing-dir.ts'
import { exitStatus } from './exit-status.ts'
import { formatCount, formatTable, shortDigest } from './format.ts'
import type { LockFlags } from './lock.ts'
import { createPaint, type Paint } from './paint.ts'
import { createProgress } from './progress.ts'

/** Writes or checks the lock. Throws what the pipeline throws, after progress is off the screen. */
export async function runLock(dir: string | undefined, flags: LockFlags, context: CliContext): Promise<void> {
  if (dir !== undefined && !looksLikeDir(dir)) {
    throw new OciBuildError('OCB-USAGE-DIR', {
      message: `"${dir}" is not a folder: a folder begins with . or /, and all images of a config are locked together`,
      hint: `write ocibuild lock ./${dir}, or leave it out`,
    })
  }
  const choices = [flags.check && '--check', flags.update && '--update', flags.keep && '--keep'].filter(
    Boolean,
  )
  if (choices.length > 1) {
    throw new OciBuildError('OCB-USAGE-OPTION', {
      message: `${choices.join(' and ')} contradict each other`,
      hint: 'use one of them',
    })
  }
  const pipeline = await import('../build.ts')
  const mode = flags.quiet === true || flags.check === true ? 'none' : 'auto'
  const progress = await createProgress(mode, context, { warnings: flags.quiet !== true })
  const options = {
    ...toBuildOptions(dir === undefined ? [] : [dir], flags, context.environment),
    prepare: flags.prepare,
    signal: context.signal,
    onEvent: progress.onEvent,
  }
  const watched = async <T>(work: Promise<T>): Promise<T> => {
    try {
      const result = await work
      progress.close('done')
      return result
    } catch (error) {
      progress.close('failed')
      throw error
    }
  }
  const paint = createPaint(context.stdoutColors)
  const { cwd } = context.environment
  if (flags.check === true) {
    const check = await watched(pipeline.compareLock(options))
    context.stdout(flags.json === true ? asJson(check) : formatCheck(check, cwd, paint))
    if (!check.upToDate) context.setExitStatus(exitStatus.failed)
    return
  }
  const result = await watched(pipeline.lock({ ...options, update: flags.keep === true ? [] : flags.update }))
  context.stdout(flags.json === true ? asJson(result) : formatLockResult(result, cwd, paint))
}

function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

/** The text, with a last newline: a line for what changed, then what the file is now. */
export function formatLockResult(
  { file, written, references }: LockResult,
  cwd: string,
  paint: Paint,
): string {
  const changed = references.filter(({ status }) => status !== 'unchanged')
  const rows = changed.map((change) => [
    paint(change.status === 'removed' ? 'yellow' : 'green', change.status),
    change.reference,
    describeChange(change),
  ])
  const kept = references.filter(({ status }) => status !== 'removed')
  const facts = kept.reduce((sum, change) => sum + change.facts, 0)
  const counts = `${formatCount(kept.length, 'reference')}, ${formatCount(facts, 'fact')} about bases`
  const lines = [...formatTable(rows), `${shown(file, cwd)}: ${counts}${written ? '' : ', nothing changed'}`]
  return `${lines.join('\n')}\n`
}

function describeChange({ status, before, after, facts }: LockChange): string {
  if (status === 'facts') return `${formatCount(facts, 'fact')} now`
  const digests = [before, after].flatMap((digest) => (digest === undefined ? [] : shortDigest(digest)))
  return digests.join(' → ')
}

/** The text, with a last newline: a line a reference, then a verdict. */
export function formatCheck({ file, upToDate, references }: LockCheck, cwd: string, paint: Paint): string {
  const rows = references.map(({ reference, status, locked, current }) => {
    const digests = locked === current ? [locked] : [locked, current]
    const text = digests.flatMap((digest) => (digest === undefined ? [] : shortDigest(digest))).join(' → ')
    return [paint(status === 'current' ? 'green' : 'yellow', status), reference, text]
  })
  const stale = references.filter(({ status }) => status === 'outdated' || status === 'missing').length
  const verdict = upToDate
    ? 'is up to date'
    : `is not up to date: ${formatCount(stale, 'reference')} to pin anew with ocibuild lock`
  return `${[...formatTable(rows), `${shown(file, cwd)} ${verdict}`].join('\n')}\n`
}

function shown(file: string, cwd: string): string {
  const path = relative(cwd, file)
  return path === '' || path.startsWith('..') ? file : path
}
