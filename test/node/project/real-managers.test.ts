/** The closure of a project as each package manager installs it, beside that manager's own production install. */

import { cpSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join, posix } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { processEnvironment } from '../../../src/environment.ts'
import { findClosure } from '../../../src/node/project/dependency-closure.ts'
import { detectProject } from '../../../src/node/project/detect-project.ts'
import {
  createImageMap,
  placeDependencies,
  placeWorkspaceLinks,
} from '../../../src/node/project/place-project.ts'
import { findManagers, runManager, type Managers } from './package-managers.ts'
import { makeProject, removeProjects, type Files } from './project-kit.ts'

afterAll(removeProjects)

const single: Files = {
  'package.json': {
    name: 'app',
    version: '1.0.0',
    dependencies: { express: '4.21.2', semver: '7.6.3' },
    optionalDependencies: { fsevents: '2.3.3' },
    devDependencies: { rimraf: '5.0.10' },
  },
}

const monorepo: Files = {
  'package.json': { name: 'root', version: '1.0.0', private: true, workspaces: ['packages/*'] },
  'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
  'packages/api/package.json': {
    name: '@acme/api',
    version: '1.0.0',
    dependencies: { '@acme/shared': '1.0.0', debug: '4.3.7' },
    devDependencies: { rimraf: '5.0.10' },
  },
  'packages/shared/package.json': {
    name: '@acme/shared',
    version: '1.0.0',
    dependencies: { semver: '7.6.3' },
  },
  'packages/web/package.json': {
    name: '@acme/web',
    version: '1.0.0',
    devDependencies: { 'left-pad': '1.3.0' },
  },
}
const viaProtocol: Files = {
  'packages/api/package.json': {
    name: '@acme/api',
    version: '1.0.0',
    dependencies: { '@acme/shared': 'workspace:*', debug: '4.3.7' },
    devDependencies: { rimraf: '5.0.10' },
  },
}

interface Case {
  readonly title: string
  readonly manager: keyof Managers
  readonly files?: Files
  readonly install: readonly string[]
  readonly production: readonly string[]
  /** pnpm's commands are scripts that hold paths of this machine; ours are links. */
  readonly commands?: false
}

const frozenNpm = ['ci', '--omit=dev', '--ignore-scripts']
const frozen = ['install', '--production', '--frozen-lockfile', '--ignore-scripts']
const cases: readonly Case[] = [
  { title: 'npm', manager: 'npm', install: ['install', '--ignore-scripts'], production: frozenNpm },
  {
    title: 'pnpm, isolated',
    manager: 'pnpm',
    install: ['install', '--ignore-scripts'],
    production: ['install', '--prod', '--frozen-lockfile', '--ignore-scripts'],
    commands: false,
  },
  {
    title: 'pnpm, hoisted',
    manager: 'pnpm',
    files: { '.npmrc': 'node-linker=hoisted\n' },
    install: ['install', '--ignore-scripts'],
    production: ['install', '--prod', '--frozen-lockfile', '--ignore-scripts'],
    commands: false,
  },
  { title: 'yarn 1', manager: 'yarn1', install: ['install', '--ignore-scripts'], production: frozen },
  {
    title: 'yarn 4 with node_modules',
    manager: 'yarn4',
    files: { 'yarn.lock': '' },
    install: ['install', '--mode=skip-build'],
    production: ['workspaces', 'focus', '--production', '--all'],
  },
  { title: 'bun', manager: 'bun', install: ['install', '--ignore-scripts'], production: frozen },
]

const managers = findManagers()

describe.skipIf(typeof managers === 'string')(
  typeof managers === 'string' ? `real package managers (skipped: ${managers})` : 'real package managers',
  () => {
    const run = (item: Case, args: readonly string[], folder: string): void => {
      if (typeof managers !== 'string') runManager(managers[item.manager], args, folder)
    }

    it.each(cases)('$title installs for production what is found', async (item) => {
      const root = makeProject({ ...single, ...item.files })
      await compare(item, root, undefined)
    })

    it.each(cases)('$title does so in a monorepo', async (item) => {
      const words = item.manager === 'pnpm' || item.manager === 'yarn4' ? viaProtocol : {}
      const root = makeProject({ ...monorepo, ...words, ...item.files })
      if (item.manager !== 'pnpm') rmSync(join(root, 'pnpm-workspace.yaml'))
      await compare(item, root, '@acme/api')
    })

    async function compare(item: Case, root: string, wanted: string | undefined): Promise<void> {
      run(item, item.install, root)
      const found = await placed(root, wanted)
      const copy = makeProject({})
      cpSync(root, copy, {
        recursive: true,
        verbatimSymlinks: true,
        filter: (path) => !path.endsWith('/node_modules'),
      })
      run(item, item.production, copy)
      const own = installed(copy)
      const keep = (name: string): boolean => item.commands !== false || !name.includes('/.bin/')
      expect(found.filter(keep)).toEqual(own.filter(keep))
      expect(found.length).toBeGreaterThan(wanted === undefined ? 500 : 60)
    }
  },
)

/** Files with their sizes and links with their targets, below every node_modules of the image. */
async function placed(root: string, wanted: string | undefined): Promise<readonly string[]> {
  const closure = findClosure(await detectProject(root, wanted))
  const map = createImageMap(root, '/app', processEnvironment())
  const placements = [...placeDependencies(map, closure, []), ...placeWorkspaceLinks(map, closure)]
  return placements
    .flatMap((item) => {
      const path = posix.relative('/app', item.path)
      if (item.type === 'symlink') return `${path} -> ${item.target}`
      return item.type === 'file' && item.source.kind === 'host' ? `${path} ${item.source.size}` : []
    })
    .sort()
}

const bookkeeping =
  /^(?:\.package-lock\.json|\.modules\.yaml|\.yarn-state\.yml|\.yarn-integrity|\.pnpm-workspace-state.*|\.cache|lock\.yaml)$/

function installed(root: string): readonly string[] {
  const found: string[] = []
  const visit = (path: string, inside: boolean): void => {
    for (const name of readdirSync(join(root, path))) {
      const below = path === '' ? name : `${path}/${name}`
      const stats = lstatSync(join(root, below))
      if (/(?:^|\/)node_modules(?:\/\.pnpm)?$/.test(path) && bookkeeping.test(name)) continue
      if (stats.isSymbolicLink()) {
        const target = readlinkSync(join(root, below))
        // The app itself, and packages of the monorepo that it does not reach.
        if (inside && !/packages\/(?:api|web)$/.test(target))
          found.push(`${below} -> ${target.replace(/\/$/, '')}`)
      } else if (stats.isDirectory()) visit(below, inside || name === 'node_modules')
      else if (inside) found.push(`${below} ${readFileSync(join(root, below)).length}`)
    }
  }
  visit('', false)
  return found.sort()
}
