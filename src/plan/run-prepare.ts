/** `prepare`: the host commands that make what is then copied, in order, before any file is looked at. */

import { spawn } from 'node:child_process'
import { stripVTControlCharacters } from 'node:util'
import type { Environment } from '../environment.ts'
import { OciBuildError, messageOf, throwIfAborted } from '../errors.ts'
import type { Reporter } from '../events.ts'

export interface PrepareOptions {
  /** Absolute. */
  readonly cwd: string
  readonly environment: Environment
  readonly reporter: Reporter
}

/** How many lines a failure shows, and how long a child has to end by itself when the build is interrupted. */
const shownLines = 20
const graceMs = 5000

/**
 * Runs each command through the shell, with the project's `node_modules/.bin` first on PATH. Lines of both outputs
 * are `output-line` events. The first failure ends it: `OCB-PREPARE-FAILED`. An abort kills the command and all its
 * children: `OCB-INTERRUPTED`.
 */
export async function runPrepare(commands: readonly string[], options: PrepareOptions): Promise<void> {
  for (const command of commands) {
    throwIfAborted(options.reporter.signal)
    await options.reporter.step({ stage: 'prepare', title: command }, ({ id }) =>
      runCommand(command, id, options),
    )
  }
}

async function runCommand(command: string, id: string, options: PrepareOptions): Promise<void> {
  const { cwd, environment, reporter } = options
  const { execa } = await import('execa')
  const windows = environment.hostPlatform === 'win32'
  const child = execa({
    shell: true,
    cwd,
    env: { ...environment.variables },
    extendEnv: false,
    preferLocal: true,
    localDir: cwd,
    stdin: 'ignore',
    all: true,
    buffer: false,
    reject: false,
    // A process group of its own, so that an abort reaches the children of the shell too.
    detached: !windows,
    cleanup: true,
  })(command, [])
  const stop = killOnAbort(child.pid, windows, reporter.signal)
  const last: string[] = []
  try {
    for await (const line of child.iterable({ from: 'all' })) {
      reporter.emit({ type: 'output-line', id, line })
      last.push(line)
      if (last.length > shownLines) last.shift()
    }
    const result = await child
    throwIfAborted(reporter.signal)
    if (result.failed) throw prepareFailed(command, cwd, outcomeOf(result), last)
  } finally {
    stop()
  }
}

/** Kills the whole tree below `pid` on an abort, for good after a grace. Returns what takes it back. */
function killOnAbort(pid: number | undefined, windows: boolean, signal: AbortSignal | undefined): () => void {
  if (signal === undefined || pid === undefined) return () => {}
  let timer: NodeJS.Timeout | undefined
  const kill = (how: 'SIGTERM' | 'SIGKILL'): void => {
    if (windows) {
      spawn('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true }).on(
        'error',
        () => {},
      )
      return
    }
    try {
      process.kill(-pid, how)
    } catch {
      // It has ended already.
    }
  }
  const onAbort = (): void => {
    kill('SIGTERM')
    timer = setTimeout(() => kill('SIGKILL'), graceMs)
  }
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  return () => {
    signal.removeEventListener('abort', onAbort)
    clearTimeout(timer)
  }
}

function outcomeOf(result: {
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  readonly cause?: unknown
}): string {
  if (result.signal !== undefined) return `was ended by ${result.signal}`
  if (result.exitCode !== undefined) return `ended with exit code ${result.exitCode}`
  return `could not be started: ${messageOf(result.cause)}`
}

function prepareFailed(
  command: string,
  cwd: string,
  outcome: string,
  last: readonly string[],
): OciBuildError {
  const output = last.map((line) => `\n  ${stripVTControlCharacters(line).slice(0, 500)}`).join('')
  return new OciBuildError('OCB-PREPARE-FAILED', {
    message: `prepare "${command}" ${outcome} in ${cwd}${output === '' ? '' : `; its last lines:${output}`}`,
    hint: 'run the command by itself and mend it, or build what is there with --no-prepare',
  })
}
