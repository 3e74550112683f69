/** Finds and reads a config file: words and where they stand, not yet checked. */

import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { processEnvironment, type Environment } from '../environment.ts'
import { messageOf, OciBuildError, systemErrorCode } from '../errors.ts'
import { askGit, type AskedGit } from './git-info.ts'
import { importConfig } from './import-config.ts'
import type { Scope, Variables } from './interpolate.ts'
import { findJsonFault } from './json-fault.ts'
import { readPackageJson } from './package-json.ts'
import type { GitInfo } from './resolved-spec.ts'
import type { ParsedYaml, SourcePositions } from './source-positions.ts'
import type { PackageJson } from './spec-types.ts'

/** The names that are looked for, the first match wins. */
export const configNames: readonly string[] = [
  '.ts',
  '.mts',
  '.js',
  '.mjs',
  '.cjs',
  '.json',
  '.yaml',
  '.yml',
].map((extension) => `oci.config${extension}`)

export interface LoadOptions {
  /** Where the file is looked for. Default: the process's working directory. */
  readonly cwd?: string | undefined
  /** A file, relative to `cwd`, in place of looking for one. */
  readonly config?: string | undefined
  /** A spec, or a function that makes one, in place of a file. */
  readonly spec?: unknown
  /** `--arg k=v`. */
  readonly args?: Readonly<Record<string, string>> | undefined
  /** What git was asked before; of another folder than the config's it is of no use. */
  readonly git?: AskedGit | undefined
  /** Absolute: where compiled TypeScript is kept. Default: nowhere. */
  readonly compiledDir?: string | undefined
  /** Default: this process's. */
  readonly environment?: Environment | undefined
}

/** What a config file says, as it says it. */
export interface LoadedConfig {
  /** Absolute; undefined for a spec that was passed as a value, or that package.json alone makes. */
  readonly file: string | undefined
  /** Absolute: the config file's folder, or `cwd`. */
  readonly folder: string
  /** The spec; functions were called, variables are not filled in. */
  readonly value: unknown
  /** Which strings may hold `${…}`: all in YAML and JSON. */
  readonly scope: Scope
  readonly variables: Variables
  /** Taken now, so before `prepare`. */
  readonly git: GitInfo
  readonly packageJson: PackageJson | undefined
  /** Where words stand, for YAML and JSON; reads the file's text again. */
  readonly positions: (() => Promise<SourcePositions>) | undefined
}

/**
 * Reads a config file, or takes a spec as a value, and calls it if it is a function. Without either, a package.json in
 * the folder makes the spec `{ node: true }`. Throws
 * `OCB-USAGE-NO-CONFIG`, `OCB-SPEC-LOAD`, `OCB-SPEC-PARSE` and `OCB-SPEC-PACKAGE-JSON`.
 */
export async function loadConfig(options: LoadOptions = {}): Promise<LoadedConfig> {
  const { args = {}, environment = processEnvironment() } = options
  const cwd = resolve(environment.cwd, options.cwd ?? '.')
  const found = options.spec === undefined ? findConfig(cwd, options.config) : undefined
  const file = found?.file
  const folder = file === undefined ? cwd : dirname(file)
  const packageJson = readPackageJson(folder)
  // Other processes, so they run while the file is read here.
  const asked = options.git?.folder === folder ? options.git : askGit(folder, environment.variables)
  const reading: Promise<ReadConfig> | ReadConfig =
    file === undefined
      ? { value: found === undefined ? options.spec : { node: true }, positions: undefined }
      : readConfig(file, options)
  const [read, git] = await Promise.all([reading, asked.info])
  const { commit, shortCommit, branch, branchSlug, tag, version, dirty } = git
  const contextGit = { commit, shortCommit, branch, branchSlug, tag, version, dirty }
  let { value } = read
  if (typeof value === 'function') {
    const context = { env: environment.variables, args, git: contextGit, packageJson: packageJson ?? {} }
    value = await callSpec(value, context, file)
  }
  return {
    file,
    folder,
    value,
    scope: read.positions ? 'strings' : 'templates',
    variables: {
      env: environment.variables,
      args,
      git: contextGit,
      package: { name: packageJson?.name, version: packageJson?.version },
    },
    git,
    packageJson,
    positions: read.positions,
  }
}

/** A folder with a package.json and no config file is a Node.js project with nothing to add: no `file`. */
function findConfig(cwd: string, config: string | undefined): { readonly file: string | undefined } {
  if (config !== undefined) {
    // Callers that TypeScript does not check hand a spec over here.
    if (typeof config !== 'string') {
      throw new OciBuildError('OCB-USAGE-NO-CONFIG', {
        message: `config is a value of type ${typeof config}; wanted the name of a config file`,
        hint: 'hand a spec over as spec',
      })
    }
    const path = resolve(cwd, config)
    if (isFile(path)) return { file: path }
    throw new OciBuildError('OCB-USAGE-NO-CONFIG', {
      message: `there is no config file ${path}`,
      hint: 'name an existing file with --config',
    })
  }
  const name = configNames.find((candidate) => isFile(join(cwd, candidate)))
  if (name !== undefined) return { file: join(cwd, name) }
  if (isFile(join(cwd, 'package.json'))) return { file: undefined }
  throw new OciBuildError('OCB-USAGE-NO-CONFIG', {
    message: `found no config file in ${cwd}; looked for ${configNames.join(', ')} and package.json`,
    hint: 'run ocibuild init to write one, or name one with --config',
  })
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

interface ReadConfig {
  readonly value: unknown
  readonly positions: (() => Promise<SourcePositions>) | undefined
}

async function readConfig(file: string, { compiledDir }: LoadOptions): Promise<ReadConfig> {
  const extension = extname(file)
  if (/^\.[cm]?[jt]s$/.test(extension)) {
    return { value: await importConfig(file, compiledDir), positions: undefined }
  }
  if (!['.json', '.yaml', '.yml'].includes(extension)) {
    throw new OciBuildError('OCB-USAGE-NO-CONFIG', {
      message: `cannot tell what ${file} is by its name; wanted one that ends in .ts, .mts, .js, .mjs, .cjs, .json, .yaml or .yml`,
      hint: 'rename the config file',
    })
  }
  const text = readText(file)
  const parse = async (): Promise<ParsedYaml> => {
    const { parseYaml } = await import('./source-positions.ts')
    return parseYaml(text)
  }
  if (extension === '.json') {
    try {
      const value: unknown = JSON.parse(text)
      return { value, positions: parse }
    } catch (error) {
      throw notParsed(file, 'JSON', [{ message: messageOf(error), ...positionInJson(text) }])
    }
  }
  const parsed = await parse()
  if (parsed.errors.length > 0) throw notParsed(file, 'YAML', parsed.errors)
  return { value: parsed.value, positions: () => Promise.resolve(parsed) }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    throw new OciBuildError('OCB-SPEC-LOAD', {
      message: `cannot read ${file}: ${systemErrorCode(error) ?? messageOf(error)}`,
      hint: 'make the file readable',
      cause: error,
    })
  }
}

function positionInJson(text: string): { line: number; column: number } {
  const before = text.slice(0, findJsonFault(text)).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

function notParsed(
  file: string,
  format: string,
  errors: readonly { message: string; line?: number; column?: number }[],
): OciBuildError {
  const first = errors[0]
  const where = first?.line === undefined ? '' : `:${first.line}:${first.column}`
  return new OciBuildError('OCB-SPEC-PARSE', {
    message: `${file}${where} is not ${format}: ${first?.message ?? ''}`,
    hint: `fix the ${format} of ${basename(file)}`,
    problems: errors.map((error) => ({ path: '', file, ...error })),
  })
}

async function callSpec(spec: object, context: unknown, file: string | undefined): Promise<unknown> {
  try {
    const value: unknown = await (typeof spec === 'function'
      ? Reflect.apply(spec, undefined, [context])
      : spec)
    return value
  } catch (error) {
    if (error instanceof OciBuildError) throw error
    throw new OciBuildError('OCB-SPEC-LOAD', {
      message: `the function that ${file ?? 'was passed as the spec'} ${file ? 'exports ' : ''}failed: ${messageOf(error)}`,
      hint: 'fix the function; it is called with { env, args, git, packageJson }',
      cause: error,
    })
  }
}
