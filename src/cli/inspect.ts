/** `ocibuild inspect [REF]`: what an image is. */

import type { Command } from 'commander'
import type { CliContext } from './context.ts'

interface InspectFlags {
  readonly platform?: string | undefined
  readonly json?: boolean | undefined
  readonly raw?: boolean | undefined
}

const examples = `
Examples:
  ocibuild inspect                                  the image that was built here (.ocibuild/image)
  ocibuild inspect oci:dist/image:1.4.0
  ocibuild inspect oci:dist/image --platform linux/arm64
  ocibuild inspect oci-archive:app.tar --json | jq -r '.platforms[].layers[].digest'
  ocibuild inspect oci:dist/image --raw             the manifest or index, byte by byte as stored
`

/** Registers `inspect`. */
export function registerInspect(program: Command, context: CliContext): void {
  program
    .command('inspect')
    .summary('show what an image is')
    .description('Shows digests, config, layers and annotations of an image, platform by platform.')
    .argument('[ref]', 'the image (default: .ocibuild/image)')
    .option('--platform <platform>', 'only this one: os/architecture[/variant]')
    .option('--json', 'print as JSON')
    .option('--raw', "print the index's or manifest's own bytes")
    .addHelpText('after', examples)
    .action(async (ref: string | undefined, flags: InspectFlags) => {
      const { printInspect } = await import('./print-inspect.ts')
      await printInspect(ref, flags, context)
    })
}
