/** The command line as a table: names and options. What they need is imported when an action runs. */

import { Command, CommanderError } from 'commander'
import { registerBuild, registerDefaultBuild } from './build.ts'
import { registerCache } from './cache.ts'
import type { CliContext } from './context.ts'
import { registerCopy } from './copy.ts'
import { registerDoctor } from './doctor.ts'
import { registerDocuments } from './documents.ts'
import { registerIndex } from './index-command.ts'
import { registerInit } from './init.ts'
import { registerInspect } from './inspect.ts'
import { registerLock } from './lock.ts'
import { registerLogin } from './login.ts'
import { registerLs } from './ls.ts'
import { registerPlan } from './plan.ts'
import { registerReferrers } from './referrers.ts'
import { registerSchema } from './schema.ts'
import type { CliServices } from './services.ts'
import { registerTags } from './tags.ts'
import { registerValidate } from './validate.ts'
import { readVersion } from './version.ts'

const examples = `
Examples:
  ocibuild init                           write a commented oci.config.ts for this folder
  ocibuild                                build what the config of this folder says
  ocibuild ./app -t 1.4.0 -o oci:out      build another folder, with a tag, into a layout
  ocibuild plan                           show what would go into each layer
  ocibuild inspect                        show what was built
  ocibuild ls oci:out /app                list its files
  ocibuild push ghcr.io/team/app:1.4.0    push what was built

A folder begins with . or /. "ocibuild help COMMAND" shows a command's options and examples.
`

type Register = (program: Command, context: CliContext, services: CliServices) => void

/** What registers which commands, in the order of the help. */
const registers: readonly (readonly [names: readonly string[], register: Register])[] = [
  [['build'], registerBuild],
  [['plan'], registerPlan],
  [['init'], registerInit],
  [['lock'], registerLock],
  [['inspect'], registerInspect],
  [['ls'], registerLs],
  [['validate'], registerValidate],
  [['copy', 'push', 'pull'], registerCopy],
  [['tag', 'tags', 'delete'], registerTags],
  [['digest', 'manifest', 'config'], registerDocuments],
  [['index'], registerIndex],
  [['referrers', 'attach'], registerReferrers],
  [['login', 'logout'], registerLogin],
  [['doctor'], registerDoctor],
  [['cache'], registerCache],
  [['schema'], registerSchema],
]

/** The names of all commands. */
export const commandNames: readonly string[] = registers.flatMap(([names]) => names)

/**
 * The program, ready to parse. It writes through the context, and throws CommanderError in place of exiting. Where
 * `only` is the name of a command it knows that one alone: making options of all takes longer than to parse a line.
 */
export function createProgram(context: CliContext, services: CliServices, only?: string): Command {
  const program = new Command('ocibuild')
    .description('Builds reproducible OCI images: no Dockerfile, no daemon, no root.')
    .usage('[DIR] | COMMAND …')
    .option('-V, --version', 'print the version')
    .option('-C, --cwd <dir>', 'run as if started in this folder')
    .option('-v, --verbose', 'more words: output of prepare commands, stacks of errors')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show the help of a command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => context.stdout(text),
      writeErr: (text) => context.stderr(text),
      // Errors are thrown, and printed where all errors are.
      outputError: () => undefined,
    })
    .exitOverride()
    .addHelpText('after', examples)
  // Read when it is asked for.
  program.on('option:version', () => {
    const version = readVersion()
    context.stdout(`${version}\n`)
    throw new CommanderError(0, 'commander.version', version)
  })
  const wanted = registers.filter(([names]) => only !== undefined && names.includes(only))
  for (const [, register] of wanted.length === 0 ? registers : wanted) register(program, context, services)
  if (wanted.length === 0) registerDefaultBuild(program, context, services, commandNames)
  return program
}
