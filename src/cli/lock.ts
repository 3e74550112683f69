/** `ocibuild lock [DIR]`: pins what the registry references of a config are. */

import type { Command } from 'commander'
import type { CliContext } from './context.ts'

/** What Commander parses for `lock`. */
export interface LockFlags {
  readonly config?: string | undefined
  readonly file?: string | undefined
  readonly arg?: readonly string[] | undefined
  readonly check?: boolean | undefined
  readonly update?: readonly string[] | undefined
  readonly keep?: boolean | undefined
  readonly prepare: boolean
  readonly cacheDir?: string | undefined
  readonly cache: boolean
  readonly strict?: boolean | undefined
  readonly json?: boolean | undefined
  readonly quiet?: boolean | undefined
}

const examples = `
oci.lock stands beside the config and belongs into version control. It holds the digest of each base and each image
that is copied from, and what the config asks of the bases: builds obey it, and read no base to plan. With --frozen a
build resolves no tag, and what the lock does not answer is an error.

Examples:
  ocibuild lock                        resolve everything again, and write oci.lock
  ocibuild lock --update node:22-slim  only this one; the others stay what they are
  ocibuild lock --keep                 the config has changed, the bases shall not
  ocibuild lock --check                what is outdated; nothing is written
  ocibuild lock --check --json | jq -r '.references[] | select(.status == "outdated") | .reference'

Exit status of --check: 0 nothing is outdated or missing · 1 something is
`

/** Registers `lock`. */
export function registerLock(program: Command, context: CliContext): void {
  program
    .command('lock')
    .summary('pin bases in oci.lock')
    .description('Writes what every registry reference of the config resolves to into oci.lock.')
    .argument('[dir]', 'a folder (begins with . or /)')
    .option('-c, --config <file>', 'the config file (default: oci.config.* of the folder)')
    .addOption(program.createOption('-f, --file <file>').hideHelp())
    .option('--arg <k=v>', 'a value for args.K in the config; again for more', append)
    .option('--check', 'tell what is outdated; write nothing')
    .option('--update <ref>', 'resolve only this reference again; again for more', append)
    .option('--keep', 'keep what is pinned; pin what is new, and ask the bases what the config needs now')
    .option('--no-prepare', 'do not run the prepare commands')
    .option('--cache-dir <dir>', 'the cache folder')
    .option('--no-cache', 'neither read nor keep anything in the cache')
    .option('--strict', 'warnings are errors')
    .option('--json', 'print as JSON')
    .option('-q, --quiet', 'say nothing but the result and errors')
    .addHelpText('after', examples)
    .action(async (dir: string | undefined, flags: LockFlags) => {
      const { runLock } = await import('./run-lock.ts')
      await runLock(dir, flags, context)
    })
}

function append(word: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), word]
}
