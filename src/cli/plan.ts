/** `ocibuild plan [DIR] [IMAGE…]`: what a build would do, and nothing done. */

import type { Command } from 'commander'
import { addSpecOptions, toBuildOptions, withGit, type SpecFlags } from './build-options.ts'
import type { CliContext } from './context.ts'
import type { CliServices } from './services.ts'

interface PlanFlags extends SpecFlags {
  readonly json?: boolean | undefined
  readonly all?: boolean | undefined
  readonly spec?: boolean | undefined
  readonly why?: boolean | undefined
}

const examples = `
Examples:
  ocibuild plan                 per image and platform: base, config, layers, entries, what was ignored
  ocibuild plan --all           every entry of every layer
  ocibuild plan --why           what changed since the last build: the first path of each layer, and who placed it
  ocibuild plan ./app --spec    the config as it was understood, every default filled in
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
    .option('--why', 'what differs from the last build of each layer, or from the pushed image')
    .option('--spec', 'the resolved spec in place of the plan')
    .option('--json', 'print as JSON')
    .addHelpText('after', examples)
    .action(async (targets: readonly string[], flags: PlanFlags) => {
      const options = withGit(toBuildOptions(targets, flags, context.environment))
      const output = { json: flags.json === true, all: flags.all === true }
      if (flags.spec === true) {
        const { printSpec } = await import('./print-spec.ts')
        return printSpec(options, output, context)
      }
      const { printPlan } = await import('./print-plan.ts')
      return printPlan({ ...options, why: flags.why === true }, output, context, services)
    })
}
