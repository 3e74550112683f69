/** The command as its users run it: bundled, in a process of its own, seeing nothing of this one's environment. */

import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleCommand } from './bundle-command.ts'

export interface CompiledCli {
  /** The `cli.cjs` of the bundle. */
  readonly path: string
  start(args: readonly string[], options: CliOptions): RunningCli
  /** Runs it to its end. */
  run(args: readonly string[], options: CliOptions): Promise<CliOutcome>
  /** As `run`, and throws with all that was said when the status is not 0. */
  must(args: readonly string[], options: CliOptions): Promise<CliOutcome>
  remove(): void
}

export interface CliOptions {
  readonly cwd: string
  /** Over PATH, HOME and TMPDIR, which are all that it sees by default; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Default: the Node.js that runs the tests. */
  readonly node?: string | undefined
  readonly nodeFlags?: readonly string[] | undefined
  /** What runs Node.js, e.g. `['taskset', '-c', '0']`. */
  readonly wrapper?: readonly string[] | undefined
}

export interface CliOutcome {
  /** null: a signal ended it. */
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCli {
  readonly child: ChildProcess
  readonly outcome: Promise<CliOutcome>
}

export function compileCli(): CompiledCli {
  const dir = mkdtempSync(join(tmpdir(), 'ocibuild-compiled-'))
  const path = bundleCommand(dir)

  const start: CompiledCli['start'] = (args, options) => {
    const node = options.node ?? process.execPath
    const words = [...(options.wrapper ?? []), node, ...(options.nodeFlags ?? []), path, ...args]
    const [command = node, ...rest] = words
    const { PATH } = process.env
    const child = spawn(command, rest, {
      cwd: options.cwd,
      env: { PATH, HOME: dir, TMPDIR: dir, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return { child, outcome: outcomeOf(child) }
  }
  const run: CompiledCli['run'] = (args, options) => start(args, options).outcome
  return {
    path,
    start,
    run,
    async must(args, options) {
      const outcome = await run(args, options)
      if (outcome.status === 0) return outcome
      const { status, signal, stdout, stderr } = outcome
      throw new Error(`ocibuild ${args.join(' ')} ended with ${status ?? signal}\n${stdout}${stderr}`)
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}

function outcomeOf(child: ChildProcess): Promise<CliOutcome> {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return new Promise((done, failed) => {
    child.on('error', failed)
    child.on('close', (status, signal) => done({ status, signal, stdout, stderr }))
  })
}
