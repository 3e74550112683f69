/** `ocibuild digest`, `manifest` and `config`: what a reference names, and its documents as they are stored. */

import type { Command } from 'commander'
import type { CliContext } from './context.ts'

export interface DocumentFlags {
  readonly platform?: string | undefined
  readonly json?: boolean | undefined
}

const digestExamples = `
Examples:
  ocibuild digest node:22-slim                                   of the index, without pulling anything
  ocibuild digest node:22-slim --platform linux/arm64            of one platform's manifest
  docker run ghcr.io/team/app@$(ocibuild digest ghcr.io/team/app:1.4.0)
`

const manifestExamples = `
Examples:
  ocibuild manifest node:22-slim | jq .manifests
  ocibuild manifest node:22-slim --platform linux/amd64 | jq '.layers[].size'
  ocibuild manifest oci:dist/image | sha256sum                   is what "ocibuild digest" says
`

const configExamples = `
Examples:
  ocibuild config node:22-slim | jq .config.Env
  ocibuild config ghcr.io/team/app:1.4.0 --platform linux/arm64
`

const refHelp = 'the image (default: .ocibuild/image)'
const platformHelp = 'of this platform: os/architecture[/variant]'

/** Registers `digest`, `manifest` and `config`. */
export function registerDocuments(program: Command, context: CliContext): void {
  program
    .command('digest')
    .summary('print the digest of an image')
    .description('Prints the digest that a reference names.')
    .argument('[ref]', refHelp)
    .option('--platform <platform>', platformHelp)
    .option('--json', 'print the descriptor as JSON')
    .addHelpText('after', digestExamples)
    .action(async (ref: string | undefined, flags: DocumentFlags) => {
      const { printDigest } = await import('./print-documents.ts')
      await printDigest(ref, flags, context)
    })
  program
    .command('manifest')
    .summary('print the manifest or index of an image')
    .description('Prints the manifest or index that a reference names, byte by byte.')
    .argument('[ref]', refHelp)
    .option('--platform <platform>', platformHelp)
    .addHelpText('after', manifestExamples)
    .action(async (ref: string | undefined, flags: DocumentFlags) => {
      const { printManifest } = await import('./print-documents.ts')
      await printManifest(ref, flags, context)
    })
  program
    .command('config')
    .summary('print the config of an image')
    .description('Prints the image config, byte by byte.')
    .argument('[ref]', refHelp)
    .option('--platform <platform>', `${platformHelp} (default: the only one, else the host's)`)
    .addHelpText('after', configExamples)
    .action(async (ref: string | undefined, flags: DocumentFlags) => {
      const { printConfig } = await import('./print-documents.ts')
      await printConfig(ref, flags, context)
    })
}
