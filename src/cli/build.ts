/** `ocibuild build [DIR] [IMAGE…]`, and the same without its name. */

import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { OciBuildError } from '../errors.ts'
import { addCacheOptions, addSpecOptions, toBuildOptions, withGit, type SpecFlags } from './build-options.ts'
import type { CliContext } from './context.ts'
import { isFolder, looksLikeDir } from './existing-dir.ts'
import { nearest } from '../config/nearest.ts'
import type { CliServices } from './services.ts'

export const progressModes = ['auto', 'plain', 'json', 'none'] as const
export type ProgressMode = (typeof progressModes)[number]

/** What Commander parses for `build`. */
export interface BuildFlags extends SpecFlags {
  readonly prepare: boolean
  readonly dryRun?: boolean | undefined
  readonly json?: boolean | undefined
  readonly metadataFile?: string | undefined
  readonly progress: ProgressMode
  readonly quiet?: boolean | undefined
}

const examples = `
Results go to stdout: one line an image, a reference by digest. Everything else goes to stderr.

Examples:
  ocibuild build                               the config of this folder, all its images
  ocibuild build ./app web                     only the image "web" of another folder's config
  ocibuild build -t 1.4.0 -t latest            with these tags
  ocibuild build --platform linux/amd64,linux/arm64
  ocibuild build -o oci:out -o docker-archive:app.tar
  ocibuild build -o docker-archive:- | ssh host docker load
  ocibuild build --json | jq -r '.images[].digest'
  ocibuild build --affected-since origin/main  only images that a branch reaches
  ocibuild build --push --cache-from registry.example.com/team/app:main
  ocibuild build --push --cache-from HOST/NAME:cache --cache-to HOST/NAME:cache
`

/** Registers `build`. */
export function registerBuild(program: Command, context: CliContext, services: CliServices): void {
  addBuildOptions(
    program
      .command('build')
      .usage('[options] [DIR] [IMAGE…]')
      .summary('build images (this is also what happens without a command)')
      .description('Builds the images of a config, or those that are named.')
      .argument('[targets...]', 'a folder (begins with . or /), then names of images')
      .addHelpText('after', examples),
  ).action(async (targets: readonly string[], flags: BuildFlags) => {
    const options = withGit(toBuildOptions(targets, flags, context.environment))
    const { runBuild } = await import('./run-build.ts')
    await runBuild(options, flags, context, services)
  })
}

/** Registers what happens without a command's name: `build`, but for a DIR only. `names` are all commands'. */
export function registerDefaultBuild(
  program: Command,
  context: CliContext,
  services: CliServices,
  names: readonly string[],
): void {
  addBuildOptions(
    program.command('build-folder', { isDefault: true, hidden: true }).argument('[words...]'),
  ).action(async (words: readonly string[], flags: BuildFlags) => {
    const wrong = words.find((word, index) => index > 0 || !looksLikeDir(word))
    if (wrong !== undefined) throw unknownWord(wrong, words, names, context.environment.cwd)
    const options = withGit(toBuildOptions(words, flags, context.environment))
    const { runBuild } = await import('./run-build.ts')
    await runBuild(options, flags, context, services)
  })
}

function addBuildOptions(command: Command): Command {
  return addCacheOptions(addSpecOptions(command))
    .option('--no-prepare', 'do not run the prepare commands')
    .option('--dry-run', 'print the plan and stop')
    .option('--json', 'print the result, or the error, as JSON on stdout')
    .option('--metadata-file <file>', 'write the result as JSON into a file')
    .addOption(new Option('--progress <mode>', 'how to show progress').choices(progressModes).default('auto'))
    .option('-q, --quiet', 'say nothing but the result and errors')
}

function unknownWord(
  wrong: string,
  words: readonly string[],
  names: readonly string[],
  cwd: string,
): OciBuildError {
  if (names.includes(wrong)) {
    return new OciBuildError('OCB-USAGE-COMMAND', {
      message: `the command "${wrong}" stands behind other words`,
      hint: `write it first: ocibuild ${wrong} …`,
    })
  }
  const similar = nearest(wrong, names)
  return new OciBuildError('OCB-USAGE-COMMAND', {
    message:
      words[0] === wrong
        ? `"${wrong}" is not a command, and a folder begins with . or /`
        : `"${wrong}" behind a folder is not understood without a command`,
    hint: isFolder(resolve(cwd, wrong))
      ? `to build the folder write "ocibuild ./${wrong}"`
      : similar === undefined
        ? `to build one image of a config write "ocibuild build ${words.join(' ')}"; "ocibuild help" lists the commands`
        : `did you mean "ocibuild ${similar}"?`,
  })
}
