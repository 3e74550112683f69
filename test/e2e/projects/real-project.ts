/** Real projects: installed and built once by their own tools, kept by what they are made of. */

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { findManagers, runManager, type Managers } from '../../node/project/package-managers.ts'
import { addFiles, type Files } from '../../node/project/project-kit.ts'
import { listTree, type TreeListing } from './list-tree.ts'

export interface ProjectRecipe {
  readonly name: string
  readonly files: Files
  readonly manager: keyof Managers
  readonly install: readonly string[]
  /** What runs after it: programs of Node.js below the folder, with their arguments. */
  readonly steps?: readonly Step[]
  readonly env?: Readonly<Record<string, string>>
  /** The manager's own install for production of each image, in a copy that has `files` and the lockfile alone. */
  readonly production?: Readonly<Record<string, Production>>
}

export interface Production {
  readonly install: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export interface Step {
  readonly run: readonly string[]
  /** Below the project. */
  readonly cwd?: string
}

export interface RealProject {
  readonly folder: string
  /** What the production install of each image made. */
  readonly production: Readonly<Record<string, TreeListing>>
}

const cacheFolder = resolve(import.meta.dirname, '../../../node_modules/.cache/ocibuild-projects')

/** The project, or why it cannot be made here. Under CI it must be. */
export function prepareProject(recipe: ProjectRecipe): RealProject | string {
  const text = JSON.stringify([recipe, process.versions.modules, process.platform, process.arch, 2])
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16)
  const kept = join(cacheFolder, `${recipe.name}-${hash}`)
  try {
    if (!existsSync(kept)) make(recipe, kept)
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    return `${recipe.name} cannot be installed: ${String(error).split('\n')[0]}`
  }
  const production: RealProject['production'] = JSON.parse(
    readFileSync(join(kept, 'production.json'), 'utf8'),
  )
  return { folder: join(kept, 'project'), production }
}

function make(given: ProjectRecipe, kept: string): void {
  const managers = findManagers()
  if (typeof managers === 'string') throw new Error(managers)
  // Not below this project: its own node_modules and lockfile would be seen by tools that look upwards.
  const made = mkdtempSync(join(tmpdir(), `ocibuild-real-${given.name}-`))
  // Yarn's global cache is found by a relative path: it moves with the project.
  const recipe = { ...given, env: { YARN_GLOBAL_FOLDER: join(made, 'yarn'), ...given.env } }
  try {
    const project = join(made, 'project')
    addFiles(project, recipe.files)
    runManager(managers[recipe.manager], recipe.install, project, recipe.env)
    const production: Record<string, TreeListing> = {}
    for (const [image, words] of Object.entries(recipe.production ?? {})) {
      production[image] = installForProduction(recipe, words, managers, made)
    }
    for (const step of recipe.steps ?? []) runStep(step, project, recipe.env)
    writeFileSync(join(made, 'production.json'), JSON.stringify(production))
    mkdirSync(cacheFolder, { recursive: true })
    for (const name of readdirSync(cacheFolder)) {
      if (name.startsWith(`${recipe.name}-`))
        rmSync(join(cacheFolder, name), { recursive: true, force: true })
    }
    moveFolder(made, kept)
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}

function installForProduction(
  recipe: ProjectRecipe,
  { install, env }: Production,
  managers: Managers,
  made: string,
): TreeListing {
  const copy = join(made, 'production')
  cpSync(join(made, 'project'), copy, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !/[\\/](?:node_modules|\.yarn|\.pnp\.[^\\/]*)$/.test(path),
  })
  runManager(managers[recipe.manager], install, copy, { ...recipe.env, ...env })
  const found = listTree(copy)
  rmSync(copy, { recursive: true })
  return found
}

function runStep({ run, cwd = '' }: Step, project: string, env: ProjectRecipe['env']): void {
  const [program = '', ...args] = run
  const options = {
    cwd: join(project, cwd),
    env: { ...process.env, CI: undefined, NODE_ENV: undefined, ...env },
  }
  try {
    execFileSync(process.execPath, [join(project, program), ...args], { ...options, stdio: 'pipe' })
  } catch (error) {
    const said = ['stdout', 'stderr'].map((key) => String(Reflect.get(Object(error), key)))
    throw new Error(`${run.join(' ')} failed: ${said.join('')}`, { cause: error })
  }
}

function moveFolder(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (existsSync(to)) return
    if (Reflect.get(Object(error), 'code') !== 'EXDEV') throw error
    cpSync(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  }
}
