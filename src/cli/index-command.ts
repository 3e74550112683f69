/** `ocibuild index create`, `add`, `remove` and `annotate`. */

import type { Command } from 'commander'
import type { CliContext } from './context.ts'

export interface IndexFlags {
  readonly annotation?: readonly string[] | undefined
  readonly removeAnnotation?: readonly string[] | undefined
  readonly platform?: readonly string[] | undefined
  readonly json?: boolean | undefined
}

const examples = `
Examples:
  ocibuild index create ghcr.io/team/app:1.4.0 ghcr.io/team/app:1.4.0-amd64 ghcr.io/team/app:1.4.0-arm64
  ocibuild index add ghcr.io/team/app:1.4.0 oci:dist/image       from each job of a CI matrix, at any time
  ocibuild index remove ghcr.io/team/app:1.4.0 --platform linux/s390x
  ocibuild index annotate ghcr.io/team/app:1.4.0 --annotation org.opencontainers.image.title=app

Jobs may add at the same time: each looks again whether its image is still there, and the order in which they end
does not change the digest.
`

/** Registers `index` and its subcommands. */
export function registerIndex(program: Command, context: CliContext): void {
  const index = program
    .command('index')
    .summary('merge images of several platforms')
    .description('Makes and changes image indexes in registries and layouts.')
    .addHelpText('after', examples)
  index
    .command('create')
    .summary('make an index of images')
    .description('Makes an index of images in their order and lets a tag name it, whatever it named before.')
    .argument('<dst>', 'HOST/NAME:TAG or oci:DIR:NAME')
    .argument('<refs...>', 'images; an index stands for all that it holds')
    .option('--annotation <k=v>', 'an annotation of the index; again for more', append)
    .option('--json', 'print as JSON')
    .addHelpText('after', examples)
    .action(async (destination: string, refs: readonly string[], flags: IndexFlags) => {
      const { runIndexCreate } = await import('./run-index.ts')
      await runIndexCreate(destination, refs, flags, context)
    })
  index
    .command('add')
    .summary('add images to an index')
    .description(
      'Adds images, each in the place of the one for its platform. An index that is not there is made.',
    )
    .argument('<dst>', 'HOST/NAME:TAG or oci:DIR:NAME')
    .argument('<refs...>', 'images; an index stands for all that it holds')
    .option('--annotation <k=v>', 'an annotation of the index; again for more', append)
    .option('--json', 'print as JSON')
    .addHelpText('after', examples)
    .action(async (destination: string, refs: readonly string[], flags: IndexFlags) => {
      const { runIndexAdd } = await import('./run-index.ts')
      await runIndexAdd(destination, refs, flags, context)
    })
  index
    .command('remove')
    .summary('take images out of an index')
    .description('Takes images out of an index, with their attestations. They stay in the repository.')
    .argument('<dst>', 'HOST/NAME:TAG or oci:DIR:NAME')
    .argument('[digests...]', 'of manifests')
    .option('--platform <list>', 'platforms, as linux/amd64,linux/arm64', appendList)
    .option('--json', 'print as JSON')
    .addHelpText('after', examples)
    .action(async (destination: string, digests: readonly string[], flags: IndexFlags) => {
      const { runIndexRemove } = await import('./run-index.ts')
      await runIndexRemove(destination, digests, flags, context)
    })
  index
    .command('annotate')
    .summary('annotate an index')
    .description("Sets and removes annotations of an index, or of one platform's entry in it.")
    .argument('<dst>', 'HOST/NAME:TAG or oci:DIR:NAME')
    .option('--annotation <k=v>', 'sets one; again for more', append)
    .option('--remove-annotation <key>', 'removes one; again for more', append)
    .option('--platform <platform>', "of this platform's entry, in place of the index", appendList)
    .option('--json', 'print as JSON')
    .addHelpText('after', examples)
    .action(async (destination: string, flags: IndexFlags) => {
      const { runIndexAnnotate } = await import('./run-index.ts')
      await runIndexAnnotate(destination, flags, context)
    })
}

type Words = readonly string[] | undefined

function append(word: string, before: Words): readonly string[] {
  return [...(before ?? []), word]
}

function appendList(text: string, before: Words): readonly string[] {
  const words = text.split(/[,\n]/).map((word) => word.trim())
  return [...(before ?? []), ...words.filter((word) => word !== '')]
}
