/** `ocibuild validate [REF]`: whether an image is what image-spec says. */

import type { Command } from 'commander'
import type { CliContext } from './context.ts'

interface ValidateFlags {
  readonly json?: boolean | undefined
  readonly fast?: boolean | undefined
}

const examples = `
Examples:
  ocibuild validate                           the image that was built here (.ocibuild/image)
  ocibuild validate oci:dist/image            a layout and every image in it
  ocibuild validate oci:dist/image:1.4.0      one image of it
  ocibuild validate oci-archive:app.tar --json | jq '.findings[].code'

Exit status: 0 no errors (there may be warnings) · 1 errors
`

/** Registers `validate`. */
export function registerValidate(program: Command, context: CliContext): void {
  program
    .command('validate')
    .summary('check an image against image-spec')
    .description(
      'Reads every byte of an image: digests, sizes, diffIDs, documents, and what the layers hold.',
    )
    .argument('[ref]', 'the image (default: .ocibuild/image); a layout without a ref name: all of its images')
    .option('--fast', 'documents only: layers are looked for, not read')
    .option('--json', 'print as JSON')
    .addHelpText('after', examples)
    .action(async (ref: string | undefined, flags: ValidateFlags) => {
      const { printValidation } = await import('./print-validate.ts')
      await printValidation(ref, flags, context)
    })
}
