/** `ocibuild schema`: the JSON schema of the config, for editors. */

import { Option, type Command } from 'commander'
import type { CliContext } from './context.ts'

const examples = `
Examples:
  ocibuild schema > oci.config.schema.json
  # yaml-language-server: $schema=./oci.config.schema.json     first line of an oci.config.yaml
`

/** Registers `schema`. */
export function registerSchema(program: Command, context: CliContext): void {
  program
    .command('schema')
    .summary('print the JSON schema of the config')
    .description('Prints the JSON schema of oci.config.json and oci.config.yaml, for editors.')
    // It is JSON as it is: taken so that every command that prints takes it.
    .addOption(new Option('--json').hideHelp())
    .addHelpText('after', examples)
    .action(async () => {
      const { readSchemaText } = await import('../config/read-schema.ts')
      context.stdout(readSchemaText())
    })
}
