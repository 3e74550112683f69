/** What frameworks build, and how it is started: known by the dependency and the files that a build leaves. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Project } from './detect-project.ts'
import { findNext } from './next-output.ts'

export interface FrameworkOutput {
  readonly framework: string
  /** The program, below the app's folder in the image. */
  readonly entry: string
  /** Where it lies below the package's folder, where that is another. */
  readonly program?: string | undefined
  /** In place of `node ENTRY`: a program of a dependency, with its arguments. */
  readonly bin?: readonly string[] | undefined
  /** It carries the dependencies that it needs: these folders are all that ships. */
  readonly standalone?: Standalone | undefined
  readonly env: Readonly<Record<string, string>>
  readonly port: number | undefined
  /** What it writes while it runs, below the package's folder. */
  readonly writable: readonly string[]
  /** What would make a better image, for `plan`. */
  readonly advice?: string | undefined
  /** Its server listens for SIGTERM and ends on it. */
  readonly endsOnSignals?: boolean | undefined
}

export interface Standalone {
  readonly parts: readonly StandalonePart[]
  /** Where the program is started, below the image's folder of the root. */
  readonly workingPath: string
}

/** A folder of the package and where it lands. */
export interface StandalonePart {
  /** Below the package's folder. */
  readonly from: string
  /** Below the image's folder of the root: '' is itself. */
  readonly to: string
}

/** A framework that the package uses: what it built, or the file that its build would have written. */
export type FrameworkFinding = FrameworkOutput | { readonly framework: string; readonly missing: string }

interface Simple {
  readonly framework: string
  readonly dependency: string
  readonly entries: readonly string[]
  readonly bin?: string | undefined
  readonly env?: Readonly<Record<string, string>>
  readonly port?: number | undefined
  readonly endsOnSignals?: boolean
}

const simple: readonly Simple[] = [
  {
    framework: 'SvelteKit',
    dependency: '@sveltejs/adapter-node',
    entries: ['build/index.js'],
    port: 3000,
    endsOnSignals: true,
  },
  {
    framework: 'Astro',
    dependency: '@astrojs/node',
    entries: ['dist/server/entry.mjs'],
    // It listens on localhost alone unless it is told.
    env: { HOST: '0.0.0.0', PORT: '4321' },
    port: 4321,
  },
  {
    framework: 'Remix',
    dependency: '@remix-run/serve',
    entries: ['build/server/index.js', 'build/index.js'],
    bin: 'remix-serve',
    port: 3000,
    endsOnSignals: true,
  },
  {
    framework: 'React Router',
    dependency: '@react-router/serve',
    entries: ['build/server/index.js'],
    bin: 'react-router-serve',
    port: 3000,
    endsOnSignals: true,
  },
  {
    framework: 'NestJS',
    dependency: '@nestjs/core',
    entries: ['dist/main.js', 'dist/src/main.js', 'dist/main.mjs'],
  },
]

/** Looks at the package's dependencies and at what builds have left; undefined for none that is known. */
export function findFramework(project: Project): FrameworkFinding | undefined {
  const { folder, manifest } = project
  const { dependencies, devDependencies, optionalDependencies } = manifest
  const uses = new Set([...dependencies, ...devDependencies, ...optionalDependencies])
  const has = (path: string): boolean => existsSync(join(folder, path))
  if (uses.has('next')) return findNext(project, has)
  if (has('.output/server/index.mjs') || uses.has('nuxt')) return findNitro(uses, has)
  for (const { framework, dependency, entries, bin, env, port, endsOnSignals } of simple) {
    if (!uses.has(dependency)) continue
    const entry = entries.find(has)
    if (entry === undefined) return { framework, missing: entries[0] ?? '' }
    return {
      framework,
      entry,
      bin: bin === undefined ? undefined : [bin, `./${entry}`],
      env: env ?? {},
      port,
      writable: [],
      endsOnSignals,
    }
  }
  return undefined
}

/** nitro.build, Node.js runtime: `.output` is all of it. */
function findNitro(uses: ReadonlySet<string>, has: (path: string) => boolean): FrameworkFinding {
  const framework = uses.has('nuxt') ? 'Nuxt' : 'Nitro'
  const entry = '.output/server/index.mjs'
  if (!has(entry)) return { framework, missing: '.output' }
  const standalone = { parts: [{ from: '.output', to: '.output' }], workingPath: '' }
  return { framework, entry, standalone, env: {}, port: 3000, writable: [], endsOnSignals: true }
}
