/** `ocibuild plan [DIR] [IMAGE…]`: what a build would do, and nothing done. */

import type { Command } from 'commander'
import { addSpecOptions, toBuildOptions, type SpecFlags } from './build-options.ts'
import type { CliContext } from './context.ts'
import type { CliServices } from './services.ts'

interface PlanFlags extends SpecFlags {
  readonly json?: boolean | undefined
  readonly all?: boolean | undefined
}

const examples = `
Examples:
  ocibuild plan                 per image and platform: base, config, layers, entries, what was ignored
  ocibuild plan --all           every entry of every layer
  ocibuild plan --json | jq '.images[].platforms[].layers[].entries[].path'
`

/** Registers `plan`. */
export function registerPlan(program: Command, context: CliContext, services: CliServices): void {
  addSpecOptions(
    program
      .command('plan')
      .usage('[options] [DIR] [IMAGE…]')
      .summary('show what a build would put where')
      .description('Shows what a build would put where. Runs no prepare command and writes no image.')
      .argument('[targets...]', 'a folder (begins with . or /), then names of images'),
  )
    .option('--all', 'every entry of every layer')
    .option('--json', 'print as JSON')
    .addHelpText('after', examples)
    .action(async (targets: readonly string[], flags: PlanFlags) => {
      const options = toBuildOptions(targets, flags, context.environment)
      const output = { json: flags.json === true, all: flags.all === true }
      const { printPlan } = await import('./print-plan.ts')
      await printPlan(options, output, context, services)
    })
}
