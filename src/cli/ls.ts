/** `ocibuild ls [REF] [PATH]`: which files an image holds. */

import type { Command } from 'commander'
import type { CliContext } from './context.ts'

interface LsFlags {
  readonly platform?: string | undefined
  readonly layer?: string | undefined
  readonly long?: boolean | undefined
  readonly json?: boolean | undefined
}

const examples = `
Examples:
  ocibuild ls                                 every path of the image that was built here
  ocibuild ls oci:dist/image /app             what is at and below /app
  ocibuild ls oci:dist/image /app -l          with mode, owner, size, time
  ocibuild ls oci:dist/image --layer 2        the entries of one layer in their order, whiteouts too
`

/** Registers `ls`. */
export function registerLs(program: Command, context: CliContext): void {
  program
    .command('ls')
    .summary('list the files of an image')
    .description('Lists the paths of an image, all layers merged as a container sees them.')
    .argument('[ref]', 'the image (default: .ocibuild/image)')
    .argument('[path]', 'an image path: only it and what is below it')
    .option('--platform <platform>', "os/architecture[/variant] (default: the only one, else the host's)")
    .option('--layer <layer>', 'one layer, by number (0 is the lowest), digest or diffID')
    .option('-l, --long', 'mode, owner, size, time, layer')
    .option('--json', 'print as JSON')
    .addHelpText('after', examples)
    .action(async (ref: string | undefined, path: string | undefined, flags: LsFlags) => {
      const { printFiles } = await import('./print-ls.ts')
      await printFiles(ref, path, flags, context)
    })
}
