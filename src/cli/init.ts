/** `ocibuild init [DIR]`: a commented config that fits the folder. */

import type { Command } from 'commander'
import type { CliContext } from './context.ts'

export interface InitFlags {
  readonly yaml?: boolean | undefined
  readonly force?: boolean | undefined
  readonly json?: boolean | undefined
}

const examples = `
Examples:
  ocibuild init                 write oci.config.ts
  ocibuild init --yaml ./site   write oci.config.yaml into another folder
  ocibuild init --force         write it anew
`

/** Registers `init`. */
export function registerInit(program: Command, context: CliContext): void {
  program
    .command('init')
    .summary('write a commented config that fits the folder')
    .description('Looks at a folder and writes a commented config that builds it.')
    .argument('[dir]', 'the folder (default: this one)')
    .option('--yaml', 'oci.config.yaml in place of oci.config.ts')
    .option('--force', 'replace a config that is there')
    .option('--json', 'print as JSON')
    .addHelpText('after', examples)
    .action(async (dir: string | undefined, flags: InitFlags) => {
      const { writeInit } = await import('./write-init.ts')
      await writeInit(dir, flags, context)
    })
}
