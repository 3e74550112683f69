/** The options of `build` and `plan`: how they are spelt, and what the pipeline gets of them. */

import { dirname, resolve } from 'node:path'
import { Option, type Command } from 'commander'
import type { BuildOptions } from '../build-types.ts'
import { parseLimit } from '../cache/cache-size.ts'
import { askGit } from '../config/git-info.ts'
import type { SpecOverrides } from '../config/overrides.ts'
import type { Environment } from '../environment.ts'
import { OciBuildError } from '../errors.ts'
import { existingDir, looksLikeDir } from './existing-dir.ts'

/** What Commander parses of the options that say what is built. */
export interface SpecFlags {
  readonly config?: string | undefined
  readonly file?: string | undefined
  readonly arg?: readonly string[] | undefined
  readonly tag?: readonly string[] | undefined
  readonly affectedSince?: string | undefined
  readonly platform?: readonly string[] | undefined
  readonly base?: string | undefined
  readonly compression?: string | undefined
  readonly label?: readonly string[] | undefined
  readonly annotation?: readonly string[] | undefined
  readonly output?: readonly string[] | undefined
  readonly push?: boolean | undefined
  readonly cacheDir?: string | undefined
  readonly cache: boolean
  readonly cacheMaxSize?: string | undefined
  readonly cacheFrom?: readonly string[] | undefined
  readonly cacheTo?: readonly string[] | undefined
  readonly verifyCache?: boolean | undefined
  readonly offline?: boolean | undefined
  readonly frozen?: boolean | undefined
  readonly frozenLockfile?: boolean | undefined
  readonly strict?: boolean | undefined
}

/** Adds the options that say what is built. */
export function addSpecOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', 'the config file (default: oci.config.* of the folder); also -f, --file')
    .addOption(new Option('-f, --file <file>').hideHelp())
    .option('--arg <k=v>', 'a value for args.K in the config; again for more', append)
    .option('-t, --tag <ref>', 'a tag, or with a / or : a whole reference; again, or one a line', appendLines)
    .option('--affected-since <ref>', 'only images that changes since this commit of git reach')
    .option('--platform <list>', 'platforms, as linux/amd64,linux/arm64', appendList)
    .option('--base <ref>', 'the base image in place of the one in the config')
    .option('--compression <type[:level]>', 'gzip, zstd or none, as gzip:9; gzip,zstd for both')
    .option('--label <k=v>', 'a label on top of those in the config; again for more', append)
    .option('--annotation <k=v>', 'an annotation on top of those in the config; again for more', append)
    .option('-o, --output <ref>', 'where to put the image, in place of the outputs in the config', append)
    .option('--push', 'push to the registry in the name of the image')
    .option('--cache-dir <dir>', 'the cache folder')
    .option('--no-cache', 'neither read nor keep anything in the cache')
    .option('--offline', 'use no network')
    .option('--frozen', 'every reference must be in oci.lock; also --frozen-lockfile')
    .addOption(new Option('--frozen-lockfile').hideHelp())
    .option('--strict', 'warnings are errors')
}

/** Adds the options of a build that are about caches, this machine's and others'. */
export function addCacheOptions(command: Command): Command {
  return command
    .option(
      '--cache-from <ref>',
      'take layers over from an image or cache manifest, in place of the tags that are pushed; again for more',
      append,
    )
    .option('--cache-to <ref>', 'write a manifest of all layers for --cache-from; again for more', append)
    .option('--cache-max-size <size>', 'what the cache may hold: 2GB, or none (default: 10GB)')
    .option('--verify-cache', 'make every layer, and fail where a cache has another')
}

/**
 * The pipeline's options. `targets` are the words behind the options: a DIR first, if it looks like one, then
 * image names. Throws `OCB-USAGE-OPTION-VALUE`, `OCB-USAGE-DIR`.
 */
export function toBuildOptions(
  targets: readonly string[],
  flags: SpecFlags,
  environment: Environment,
): BuildOptions & { readonly cwd: string; readonly environment: Environment } {
  const [first] = targets
  const hasDir = first !== undefined && looksLikeDir(first)
  const images = hasDir ? targets.slice(1) : targets
  const config = flags.config ?? flags.file
  return {
    cwd: hasDir ? existingDir(first, environment.cwd) : environment.cwd,
    // As `docker build -f`: from where the user stands, which need not be DIR.
    config: config === undefined ? undefined : resolve(environment.cwd, config),
    args: parsePairs('--arg', flags.arg),
    images: images.length === 0 ? undefined : images,
    affectedSince: flags.affectedSince,
    overrides: toOverrides(flags),
    cacheDir: flags.cacheDir === undefined ? undefined : resolve(environment.cwd, flags.cacheDir),
    cache: flags.cache,
    maxCacheBytes:
      flags.cacheMaxSize === undefined ? undefined : parseLimit('--cache-max-size', flags.cacheMaxSize),
    cacheFrom: flags.cacheFrom,
    cacheTo: flags.cacheTo,
    verifyCache: flags.verifyCache,
    offline: flags.offline,
    frozen: flags.frozen === true || flags.frozenLockfile === true,
    strict: flags.strict,
    environment,
  }
}

/**
 * The same, with git at work: its processes are started before what builds is loaded, and are mostly done when that is.
 */
export function withGit<T extends ReturnType<typeof toBuildOptions>>(options: T): T {
  const { cwd, config, environment } = options
  const folder = config === undefined ? cwd : dirname(config)
  return { ...options, git: askGit(folder, environment.variables) }
}

function toOverrides(flags: SpecFlags): SpecOverrides {
  return {
    tags: flags.tag,
    platforms: flags.platform,
    base: flags.base,
    compression: flags.compression,
    labels: parsePairs('--label', flags.label),
    annotations: parsePairs('--annotation', flags.annotation),
    outputs: flags.output,
    push: flags.push,
  }
}

/** `k=v` words as a record; undefined where the option was not written. Throws `OCB-USAGE-OPTION-VALUE`. */
export function parsePairs(
  option: string,
  words: readonly string[] | undefined,
): Readonly<Record<string, string>> | undefined {
  if (words === undefined) return undefined
  const pairs = words.map((word) => {
    const at = word.indexOf('=')
    if (at > 0) return [word.slice(0, at), word.slice(at + 1)] as const
    throw new OciBuildError('OCB-USAGE-OPTION-VALUE', {
      message: `${option} "${word}" is not KEY=VALUE`,
      hint: `write it like ${option} key=value`,
    })
  })
  return Object.fromEntries(pairs)
}

type Words = readonly string[] | undefined

function append(word: string, before: Words): readonly string[] {
  return [...(before ?? []), word]
}

function appendLines(text: string, before: Words): readonly string[] {
  return [...(before ?? []), ...nonEmpty(text.split('\n'))]
}

function appendList(text: string, before: Words): readonly string[] {
  return [...(before ?? []), ...nonEmpty(text.split(/[,\n]/))]
}

function nonEmpty(words: readonly string[]): string[] {
  return words.map((word) => word.trim()).filter((word) => word !== '')
}
