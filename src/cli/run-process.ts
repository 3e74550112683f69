/** The process around a command line: argv in, streams and exit status out. */

import { processEnvironment } from '../environment.ts'
import type { CliContext } from './context.ts'
import { wantsColors } from './paint.ts'
import { runCli } from './run-cli.ts'

const interrupted = 130

/** Runs the command line of this process and ends it. */
export async function runProcess(): Promise<never> {
  const controller = new AbortController()
  const environment = processEnvironment()
  let readerIsGone = false
  /** Why stdout takes no more, other than that its reader went away: a full disk, mostly. */
  let outputError: Error | undefined
  let givesArchive = false

  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') {
      outputError ??= error
      return
    }
    // `ocibuild ls … | head`: nobody reads on, so there is nothing left to do.
    readerIsGone = true
    controller.abort()
  })
  process.stderr.on('error', () => {})

  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(interrupted)
      controller.abort()
    })
  }

  const context: CliContext = {
    stdout(text) {
      if (!readerIsGone) process.stdout.write(text)
    },
    stderr(text) {
      // What is said of our own stop when a reader went away is news to nobody.
      if (!readerIsGone || givesArchive) process.stderr.write(text)
    },
    environment,
    verbose: false,
    signal: controller.signal,
    setExitStatus() {},
    isTty: process.stderr.isTTY,
    colors: wantsColors(environment.variables, process.stderr.isTTY),
    stdoutColors: wantsColors(environment.variables, process.stdout.isTTY),
    get stdin() {
      return process.stdin
    },
    get rawStdout() {
      givesArchive = true
      return process.stdout
    },
  }

  const status = await runCli(process.argv.slice(2), context)
  await flush(process.stdout)
  await flush(process.stderr)
  // An error is emitted a turn after the write that met it.
  await new Promise((done) => setImmediate(done))
  if (outputError !== undefined && status === 0) {
    process.stderr.write(`error OCB-OUTPUT-CLOSED: cannot write to stdout: ${outputError.message}\n`)
    process.exit(1)
  }
  // A reader that had enough is no failure, unless it was to get an archive whole.
  return process.exit(readerIsGone ? (givesArchive && status !== 0 ? 1 : 0) : status)
}

function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((done) => {
    if (stream.writableLength === 0 || stream.destroyed) done()
    else stream.write('', () => done())
  })
}
