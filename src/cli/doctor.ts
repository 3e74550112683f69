/** `ocibuild doctor REGISTRY[/NAME]`: why a registry does what it does. */

import type { Command } from 'commander'
import type { CliContext } from './context.ts'

export interface DoctorFlags {
  readonly write?: boolean | undefined
  readonly json?: boolean | undefined
}

const examples = `
Examples:
  ocibuild doctor ghcr.io                       settings, credential, connection, authentication
  ocibuild doctor ghcr.io/team/app              and what may be done in a repository
  ocibuild doctor ghcr.io/team/app --write      and whether zstd layers and indexes are taken

No secret is shown. Where you may push, uploads are begun and given up, and a blob of two bytes is sent; --write pushes
two small manifests without a tag and deletes them again.

Exit status: 0 nothing failed · 3 something did
`

/** Registers `doctor`. */
export function registerDoctor(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .summary('explain what stands between you and a registry')
    .description('Tells which credential is used, what the registry asks for, and what it can do.')
    .argument('<registry>', 'HOST[:PORT], or HOST/NAME')
    .option('--write', 'also push something small, and delete it')
    .option('--json', 'print as JSON')
    .addHelpText('after', examples)
    .action(async (registry: string, flags: DoctorFlags) => {
      const { printDoctor } = await import('./print-doctor.ts')
      await printDoctor(registry, flags, context)
    })
}
