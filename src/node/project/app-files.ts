/** Which of a package's own files ship: what `files` names, or the folder without what only developers need. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createCopyFilter, type FilterRules } from '../../plan/copy-filter.ts'
import type { ExcludedPaths } from '../../plan/excluded-paths.ts'
import { compileGlobs } from '../../plan/glob-rules.ts'
import type { HiddenLog } from '../../plan/hidden-log.ts'
import { readIgnoreRules } from '../../plan/ignore-file.ts'
import { matchesOf } from '../../plan/rules.ts'
import { walkFolder, type Found } from '../../plan/walk-folder.ts'
import { withoutImages } from './built-images.ts'
import type { Manifest } from './manifest.ts'

export interface AppFilesOptions {
  /** Absolute, links followed. */
  readonly folder: string
  /** Absolute: an ignore file of the monorepo speaks for its packages, too. */
  readonly root: string
  /** `folder` below `root`. */
  readonly path: string
  readonly manifest: Manifest
  /** Globs in place of the `files` of package.json. */
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  /** Files that must ship, whatever hides them; relative, with `/`. */
  readonly needed: readonly string[]
  /** Folders of other packages in it: relative, with `/`. */
  readonly packagesInside: readonly string[]
  readonly excluded: ExcludedPaths
  readonly hidden: HiddenLog
}

export interface AppFiles {
  /** `path` is below the package's folder. */
  readonly found: readonly Found[]
  /** How they were chosen, for `plan`. */
  readonly reason: string
}

/** Folders that builds write; whatever ignore files say, they are what runs. */
export const outputFolders: readonly string[] = ['dist', 'build', 'out', '.next', '.output']

/** What is in every project and in no image: as globs below the package. */
const litter: Readonly<Record<string, string>> = {
  dependencies: '**/node_modules .yarn .pnp.*',
  dotfiles: '**/.* !**/.well-known',
  tests: `test tests e2e cypress coverage **/__tests__ **/__mocks__ **/__snapshots__
    **/*.{test,spec}.{js,mjs,cjs,jsx,ts,mts,cts,tsx}
    jest.config.* vitest.config.* vitest.workspace.* playwright.config.* cypress.config.*`,
  documents: 'README* CHANGELOG* CONTRIBUTING*',
  tools: `package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml pnpm-workspace.yaml bun.lock bun.lockb
    lerna.json nx.json turbo.json rush.json tsconfig.json tsconfig.*.json jsconfig.json **/*.tsbuildinfo
    nodemon.json biome.json eslint.config.* prettier.config.* commitlint.config.* lint-staged.config.*
    babel.config.* rollup.config.* webpack.config.* vite.config.* tsup.config.* Makefile **/*.log
    Dockerfile Dockerfile.* *.Dockerfile docker-compose*.{yml,yaml} compose*.{yml,yaml} oci.config.* oci.lock`,
}

/** Caches of builds, which no program reads when it runs. */
const outputLitter = ['**/.cache', '.next/cache', '.next/trace', '**/*.tsbuildinfo']

/**
 * Chooses and walks. What ignore files, litter and `exclude` hid is counted in `hidden`. Throws `OCB-SPEC-GLOB`,
 * `OCB-COPY-IGNORE-FILE`, and what `walkFolder` throws.
 */
export function findAppFiles(options: AppFilesOptions): AppFiles {
  const { folder, include, exclude, manifest, needed, packagesInside, hidden } = options
  const outputs = outputFolders.filter((name) => existsSync(join(folder, name)))
  const walk = (excluded: ExcludedPaths, rules: FilterRules): readonly Found[] =>
    walkFolder(folder, { excluded, filter: createCopyFilter(rules, hidden), followRoot: undefined })
  const excludeRules = compileGlobs(exclude, 'node.exclude', 'spec')
  const inside = compileGlobs(packagesInside.map(literal), 'other packages', 'package.json')
  const cache = compileGlobs(outputLitter, 'cache', '')
  const chosen = include.length > 0 ? include : manifest.files
  const key = include.length > 0 ? 'node.include' : 'files'
  const always = ['package.json', ...needed, ...(chosen === undefined ? outputs : [])].map(literal)
  const dependencies = compileGlobs(chosen === undefined ? [] : ['node_modules'], 'dependencies', '')
  // Named outright, or made by a build: hidden by nothing but the user's own `exclude`.
  const named = walk(options.excluded, {
    ignore: [],
    ignorePrefix: '',
    ignoredTop: undefined,
    exclude: [...dependencies, ...cache, ...(chosen === undefined ? [] : inside), ...excludeRules],
    include: compileGlobs([...always, ...(chosen ?? [])], key, 'package.json'),
  })
  if (chosen !== undefined) {
    return { found: named, reason: key === 'files' ? 'files of package.json' : key }
  }
  const taken = outputs.map((name) => join(folder, name))
  const rest = walk(
    { paths: new Set([...options.excluded.paths, ...taken]), parents: options.excluded.parents },
    {
      ...ignoring(options),
      exclude: [
        ...Object.entries(litter).flatMap(([kind, globs]) => compileGlobs(globs.split(/\s+/), kind, '')),
        ...inside,
        ...excludeRules,
      ],
      include: undefined,
    },
  )
  const found = new Map([...rest, ...named].map((item) => [item.path, item]))
  const sorted = [...found.values()].sort((one, other) => (one.path < other.path ? -1 : 1))
  return {
    found: withoutImages(sorted, hidden),
    reason: "the folder without tests, tools' files and dotfiles",
  }
}

/** Names as they are, in a glob. */
function literal(path: string): string {
  return path.replaceAll(/[*?[\]{}\\!]/g, (character) => `[${character === ']' ? '\\]' : character}]`)
}

/** The package's own ignore file, else the monorepo's. */
function ignoring({
  folder,
  root,
  path,
}: AppFilesOptions): Pick<FilterRules, 'ignore' | 'ignorePrefix' | 'ignoredTop'> {
  const own = readIgnoreRules(folder, true)
  if (own.length > 0 || path === '') return { ignore: own, ignorePrefix: '', ignoredTop: undefined }
  const ignore = readIgnoreRules(root, true)
  // What hides the package as a whole was written for another image of the monorepo.
  const top = matchesOf(ignore, path)
  const rules = ignore.filter((rule, index) => rule.negated || top?.[index] !== 1)
  return { ignore: rules, ignorePrefix: `${path}/`, ignoredTop: undefined }
}
