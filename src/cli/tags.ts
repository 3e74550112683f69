/** `ocibuild tag`, `tags` and `delete`: the names of images in registries. */

import type { Command } from 'commander'
import type { CliContext } from './context.ts'

export interface TagFlags {
  readonly json?: boolean | undefined
}

const tagExamples = `
Examples:
  ocibuild tag ghcr.io/team/app:1.4.0 1.4 1 latest
  ocibuild tag ghcr.io/team/app@sha256:… stable                  by digest: what was tested gets the name
  ocibuild tag oci:dist/image:1.4.0 latest                       in a layout

Nothing is copied. A tag that names the image already is left alone.
`

const tagsExamples = `
Examples:
  ocibuild tags ghcr.io/team/app
  ocibuild tags node | grep slim
  ocibuild tags ghcr.io/team/app --json | jq -r '.tags[]'
`

const deleteExamples = `
Examples:
  ocibuild delete ghcr.io/team/app:old                           the tag alone; the image stays under its others
  ocibuild delete ghcr.io/team/app@sha256:…                      the manifest and every tag of it
`

/** Registers `tag`, `tags` and `delete`. */
export function registerTags(program: Command, context: CliContext): void {
  program
    .command('tag')
    .summary('give an image further tags')
    .description('Lets tags name an image where it is.')
    .argument('<ref>', 'an image in a registry or a layout')
    .argument('<tags...>', 'tags')
    .option('--json', 'print as JSON')
    .addHelpText('after', tagExamples)
    .action(async (ref: string, tags: readonly string[], flags: TagFlags) => {
      const { runTag } = await import('./run-tags.ts')
      await runTag(ref, tags, flags, context)
    })
  program
    .command('tags')
    .summary('list the tags of a repository')
    .description('Prints every tag of a repository, one a line, in the order of the registry.')
    .argument('<repository>', 'HOST/NAME')
    .option('--json', 'print as JSON')
    .addHelpText('after', tagsExamples)
    .action(async (repository: string, flags: TagFlags) => {
      const { printTags } = await import('./run-tags.ts')
      await printTags(repository, flags, context)
    })
  program
    .command('delete')
    .summary('delete a tag or a manifest in a registry')
    .description('Deletes a tag, or a manifest with every tag of it. Registries may allow neither.')
    .argument('<ref>', 'HOST/NAME:TAG, or HOST/NAME@DIGEST')
    .option('--json', 'print as JSON')
    .addHelpText('after', deleteExamples)
    .action(async (ref: string, flags: TagFlags) => {
      const { runDelete } = await import('./run-tags.ts')
      await runDelete(ref, flags, context)
    })
}
