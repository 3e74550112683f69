/** What to do about a start script that cannot become one command of node: the file that it, or another, runs. */

import type { Project } from './detect-project.ts'

/** Tools that run a file and watch it, and the file, which has a dot or a slash, of those that a plain `node` runs. */
const runner = /(?:^|[\s;&|])(?:node|nodemon)\s+(?:[^\s;&|]+\s+)*?([\w@-]*[./][\w@./-]*)(?=$|[\s;&|])/

/** Scripts that people start their builds with. */
const others = /^(?:start|serve|run)[:\-_.](?:prod|production|dist|release)$/

/** The root of a monorepo is most often no app itself. */
const hintOfRoot =
  'run it in the folder of an app, or let ocibuild init write an image for each app of the monorepo'

/** Where nothing says how it is started. */
export function nothingHint({ path, workspaces }: Project): string {
  return path === '' && workspaces.length > 0 ? hintOfRoot : naming('FILE')
}

/** Of a script: one step to take. */
export function startHint({ manifest: { scripts }, path, workspaces }: Project, name: string): string {
  if (path === '' && workspaces.length > 0) return hintOfRoot
  const script = scripts[name] ?? ''
  const own = runner.exec(script)?.[1]
  if (own !== undefined)
    return `${naming(own)}${/[;&|]/.test(script) ? ', and run the rest in a step of its own' : ''}`
  for (const [other, text] of Object.entries(scripts)) {
    const file = others.test(other) ? runner.exec(text)?.[1] : undefined
    if (file !== undefined) return `take the file of scripts.${other}: ${naming(file)}`
  }
  return `${naming('FILE')}, or write the command yourself as config.cmd`
}

function naming(file: string): string {
  return `name the file to run with node: { entry: '${file}' }`
}
