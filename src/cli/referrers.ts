/** `ocibuild referrers` and `attach`: what is about an image. */

import type { Command } from 'commander'
import type { CliContext } from './context.ts'

export interface ReferrersFlags {
  readonly artifactType?: string | undefined
  readonly platform?: string | undefined
  readonly json?: boolean | undefined
}

export interface AttachFlags {
  readonly type: string
  readonly mediaType?: string | undefined
  readonly annotation?: readonly string[] | undefined
  readonly platform?: string | undefined
  readonly json?: boolean | undefined
}

const referrersExamples = `
Examples:
  ocibuild referrers ghcr.io/team/app:1.4.0
  ocibuild referrers ghcr.io/team/app:1.4.0 --artifact-type application/spdx+json
  ocibuild referrers ghcr.io/team/app:1.4.0 --json | jq -r '.referrers[].digest'

Registries without the referrers API are asked for the tag that stands in for it.
`

const attachExamples = `
Examples:
  ocibuild attach sbom.spdx.json --type application/spdx+json ghcr.io/team/app:1.4.0
  ocibuild attach report.html --type text/html --annotation stage=qa ghcr.io/team/app@sha256:…
  ocibuild attach sbom.json --type application/spdx+json --platform linux/arm64 ghcr.io/team/app:1.4.0
`

/** Registers `referrers` and `attach`. */
export function registerReferrers(program: Command, context: CliContext): void {
  program
    .command('referrers')
    .summary('list what refers to an image')
    .description('Lists the artifacts whose subject is an image: signatures, SBOMs, reports.')
    .argument('<ref>', 'an image in a registry')
    .option('--artifact-type <type>', 'only those of this type')
    .option('--platform <platform>', "of this platform's manifest: os/architecture[/variant]")
    .option('--json', 'print as JSON')
    .addHelpText('after', referrersExamples)
    .action(async (ref: string, flags: ReferrersFlags) => {
      const { printReferrers } = await import('./run-referrers.ts')
      await printReferrers(ref, flags, context)
    })
  program
    .command('attach')
    .summary('attach a file to an image')
    .description('Pushes a file as an artifact about an image, beside it.')
    .argument('<file>', 'the file')
    .argument('<ref>', 'an image in a registry')
    .requiredOption('--type <type>', 'what the artifact is: a media type, as application/spdx+json')
    .option('--media-type <type>', 'of the bytes of the file (default: application/octet-stream)')
    .option('--annotation <k=v>', 'an annotation of the artifact; again for more', append)
    .option('--platform <platform>', "to this platform's manifest: os/architecture[/variant]")
    .option('--json', 'print as JSON')
    .addHelpText('after', attachExamples)
    .action(async (file: string, ref: string, flags: AttachFlags) => {
      const { runAttach } = await import('./run-referrers.ts')
      await runAttach(file, ref, flags, context)
    })
}

function append(word: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), word]
}
