/** `ocibuild copy`, `push` and `pull`: images from place to place, byte by byte. */

import { Option, type Command } from 'commander'
import type { ProgressMode } from './build.ts'
import type { CliContext } from './context.ts'

/** What Commander parses of the three. */
export interface CopyFlags {
  readonly tag?: readonly string[] | undefined
  readonly platform?: string | undefined
  readonly all?: boolean | undefined
  readonly json?: boolean | undefined
  readonly quiet?: boolean | undefined
  readonly progress: ProgressMode
}

const copyExamples = `
Examples:
  ocibuild copy node:22-slim art.corp/mirror/node:22-slim        registry to registry, all platforms
  ocibuild copy ghcr.io/team/app:1.4.0 oci:backup                into a layout
  ocibuild copy oci:backup:1.4.0 ghcr.io/team/app:1.4.0 -t 1.4 -t latest
  ocibuild copy node:22 docker-archive:node.tar --platform linux/arm64

Digests stay what they are. stdout: the copy as NAME@DIGEST or oci:DIR:@DIGEST.
`

const pushExamples = `
Examples:
  ocibuild push ghcr.io/team/app:1.4.0                           what was built here (.ocibuild/image)
  ocibuild push oci:dist/image ghcr.io/team/app:1.4.0 -t latest
  ocibuild push oci-archive:app.tar localhost:5000/app
`

const pullExamples = `
Examples:
  ocibuild pull node:22-slim                                     into oci:node, as 22-slim
  ocibuild pull ghcr.io/team/app:1.4.0 oci:image
  ocibuild pull ghcr.io/team/app:1.4.0 --platform linux/arm64
`

/** Registers `copy`, `push` and `pull`. */
export function registerCopy(program: Command, context: CliContext): void {
  withOptions(
    program
      .command('copy')
      .summary('copy an image from anywhere to anywhere')
      .description('Copies an image between registries, layouts and archives. Not one byte of it is changed.')
      .argument('<src>', 'any reference')
      .argument('<dst>', 'any reference that can be written to'),
    copyExamples,
  ).action(async (source: string, destination: string, flags: CopyFlags) => {
    const { runCopy } = await import('./run-copy.ts')
    await runCopy(source, destination, flags, context)
  })
  withOptions(
    program
      .command('push')
      .summary('push a stored image to a registry')
      .description('Copies an image of a layout or an archive to a registry.')
      .usage('[options] [ref] <dst>')
      .argument('<refs...>', 'the image (default: .ocibuild/image), and HOST/NAME[:TAG]'),
    pushExamples,
  ).action(async (references: readonly string[], flags: CopyFlags) => {
    const { runPush } = await import('./run-copy.ts')
    await runPush(references, flags, context)
  })
  withOptions(
    program
      .command('pull')
      .summary('pull an image from a registry into a layout')
      .description('Copies an image of a registry into a layout or an archive.')
      .argument('<ref>', 'the image')
      .argument('[dst]', 'oci:DIR or an archive (default: oci: and the last part of the name)'),
    pullExamples,
  ).action(async (reference: string, destination: string | undefined, flags: CopyFlags) => {
    const { runPull } = await import('./run-copy.ts')
    await runPull(reference, destination, flags, context)
  })
}

function withOptions(command: Command, examples: string): Command {
  return command
    .option('-t, --tag <tag>', 'another tag for the copy; again for more', append)
    .option('--platform <platform>', 'only this one: os/architecture[/variant] (default: all)')
    .addOption(new Option('--all', 'all platforms').conflicts('platform'))
    .addOption(
      new Option('--progress <mode>', 'how progress is shown')
        .choices(['auto', 'plain', 'json', 'none'])
        .default('auto'),
    )
    .option('-q, --quiet', 'no progress')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples)
}

function append(word: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), word]
}
