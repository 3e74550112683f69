/** What `next build` leaves: the server that it traced with output "standalone", or the folder that `next start` serves. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isPlainObject } from '../../config/check-shape.ts'
import type { Project } from './detect-project.ts'
import type { FrameworkFinding } from './frameworks.ts'

/** Its server listens on the name in HOSTNAME, which engines set to the container's. */
const serverEnv = { HOSTNAME: '0.0.0.0', PORT: '3000' }

/** nextjs.org/docs: output "standalone" is a server with what it needs; assets are to be put beside it. */
export function findNext({ path, folder }: Project, has: (path: string) => boolean): FrameworkFinding {
  const framework = 'Next.js'
  const built = distFolders.find((name) => has(`${name}/required-server-files.json`)) ?? '.next'
  const standalone = `${built}/standalone`
  const facts = readJson(join(folder, built, 'required-server-files.json'))
  // Below the folder that it was traced from, which its config or a lockfile above tells it, it has that one's layout.
  const traced = typeof facts['relativeAppDir'] === 'string' ? [facts['relativeAppDir']] : []
  const inner = [...traced, path, ''].find((below) => has(join(standalone, below, 'server.js')))
  const writable = [`${built}/cache`, ...prerenderFolders(join(folder, built), built, has)]
  if (inner !== undefined) {
    const to = (below: string): string => [inner, below].filter((part) => part !== '').join('/')
    const assets = [
      { from: `${built}/static`, to: to(`${built}/static`) },
      { from: 'public', to: to('public') },
    ]
    return {
      framework: 'Next.js standalone',
      entry: 'server.js',
      program: `${standalone}/${to('server.js')}`,
      standalone: {
        parts: [{ from: standalone, to: '' }, ...assets.filter(({ from }) => has(from))],
        workingPath: inner,
      },
      env: serverEnv,
      port: 3000,
      writable,
      endsOnSignals: true,
    }
  }
  if (!has(`${built}/BUILD_ID`)) return { framework, missing: '.next' }
  return {
    framework,
    advice: 'with output "standalone" in its config it would carry only what it needs',
    entry: `${built}/BUILD_ID`,
    bin: ['next', 'start'],
    env: {},
    port: 3000,
    writable,
    endsOnSignals: true,
  }
}

/** `.next`, and what projects set as `distDir`. */
const distFolders = ['.next', 'build', 'dist', 'out']

/** Where pages lie that the server makes anew: those with `revalidate`, and those that are made when they are asked for. */
function prerenderFolders(folder: string, built: string, has: (path: string) => boolean): readonly string[] {
  const { routes, dynamicRoutes } = readJson(join(folder, 'prerender-manifest.json'))
  const renewed = valuesOf(routes).some((route) => typeof route['initialRevalidateSeconds'] === 'number')
  const made = valuesOf(dynamicRoutes).some((route) => route['fallback'] !== false)
  if (!renewed && !made) return []
  return ['app', 'pages'].map((name) => `${built}/server/${name}`).filter(has)
}

function valuesOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Object.values(isPlainObject(value) ? value : {}).filter(isPlainObject)
}

/** Empty where there is none, or none that can be read. */
function readJson(path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return isPlainObject(value) ? value : {}
  } catch {
    return {}
  }
}
