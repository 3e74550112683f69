/** A command line from words to exit status: parses, runs, prints what was thrown. */

import { CommanderError, type Command } from 'commander'
import { nearest } from '../config/nearest.ts'
import type { Environment } from '../environment.ts'
import { OciBuildError } from '../errors.ts'
import type { CliContext } from './context.ts'
import { existingDir } from './existing-dir.ts'
import { exitStatus, exitStatusOf } from './exit-status.ts'
import { createPaint } from './paint.ts'
import { formatError, viewError } from './print-error.ts'
import { createProgram } from './program.ts'
import { lazyServices, type CliServices } from './services.ts'
import { usageError } from './usage-error.ts'

/**
 * Runs one command line (`argv` without node and script) and returns the exit status. Never throws: whatever
 * is thrown is printed on stderr, and with `--json` as `{ error }` on stdout too.
 */
export async function runCli(
  argv: readonly string[],
  context: CliContext,
  services: CliServices = lazyServices,
): Promise<number> {
  const globals: Globals = { environment: context.environment, verbose: false }
  const scoped = withGlobals(context, globals)
  const program = createProgram(scoped, services, argv[0])
  let acting: Command = program
  program
    .on('option:cwd', (dir: string) => {
      globals.environment = { ...globals.environment, cwd: existingDir(dir, globals.environment.cwd) }
    })
    .on('option:verbose', () => {
      globals.verbose = true
    })
    .hook('preAction', (_, command) => {
      acting = command
    })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return scoped.status()
  } catch (error) {
    if (error instanceof CommanderError && isHelp(error)) {
      if (error.exitCode === 0) return exitStatus.done
      const [word, topic] = argv
      if (word === 'help' && topic !== undefined) {
        const unknown = unknownTopic(topic, program)
        context.stderr(formatError(unknown, createPaint(context.colors), globals.verbose))
      }
      return exitStatus.usage
    }
    const known = error instanceof CommanderError ? usageError(error, helpCommandOf(argv, program)) : error
    const asked: Readonly<Record<string, unknown>> = acting.opts()
    const json = acting === program ? argv.includes('--json') : asked['json'] === true
    if (asked['progress'] === 'json') {
      context.stderr(`${JSON.stringify({ type: 'error', error: viewError(known) })}\n`)
    } else {
      context.stderr(formatError(known, createPaint(context.colors), globals.verbose))
    }
    if (json) context.stdout(`${JSON.stringify({ error: viewError(known) }, null, 2)}\n`)
    return exitStatusOf(known, context.signal)
  }
}

function unknownTopic(topic: string, program: Command): OciBuildError {
  const names = program.commands.map((command) => command.name())
  const similar = nearest(topic, names)
  return new OciBuildError('OCB-USAGE-COMMAND', {
    message: `"${topic}" is not a command`,
    hint:
      similar === undefined ? 'take one of the commands above' : `did you mean "ocibuild help ${similar}"?`,
  })
}

interface Globals {
  environment: Environment
  verbose: boolean
}

// Getters: -C is known only after the commands were registered with this context.
function withGlobals(context: CliContext, globals: Globals): CliContext & { status(): number } {
  let status: number = exitStatus.done
  return {
    stdout: (text) => context.stdout(text),
    stderr: (text) => context.stderr(text),
    get environment() {
      return globals.environment
    },
    get verbose() {
      return globals.verbose
    },
    signal: context.signal,
    setExitStatus(code) {
      status = code
    },
    status: () => status,
    isTty: context.isTty,
    colors: context.colors,
    stdoutColors: context.stdoutColors,
    get stdin() {
      return context.stdin
    },
    get rawStdout() {
      return context.rawStdout
    },
  }
}

function isHelp(error: CommanderError): boolean {
  return ['commander.helpDisplayed', 'commander.help', 'commander.version'].includes(error.code)
}

function helpCommandOf(argv: readonly string[], program: Command): string {
  const name = argv.find((word) => program.commands.some((command) => command.name() === word))
  return name === undefined ? 'ocibuild build --help' : `ocibuild ${name} --help`
}
