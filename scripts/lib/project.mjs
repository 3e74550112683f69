/** Where things lie in the clone, and how a script says what it does. Plain Node.js: runs before anything is installed. */

import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The clone, absolute. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** A path below the clone. */
export const inRoot = (...parts) => join(root, ...parts)

/** What stops a script on purpose: printed without a stack. */
export class ScriptError extends Error {}

/**
 * Runs a program with this terminal; throws a ScriptError unless it ends with 0.
 * `options.capture` gives its stdout back as text in place of showing it.
 */
export function run(command, args, options = {}) {
  const { capture = false, env = process.env, cwd = root, shell = false } = options
  const result = spawnSync(command, args, {
    cwd,
    env,
    shell,
    stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (result.error) throw new ScriptError(`${command} cannot be started: ${result.error.message}`)
  if (result.signal) throw new ScriptError(`${command} was ended by ${result.signal}`)
  if (result.status !== 0) {
    throw new ScriptError(`${[command, ...args].join(' ')} failed with exit status ${result.status}`)
  }
  return result.stdout ?? ''
}

/** Runs `node` on a script of the project or of one of its packages. */
export function runNode(args, options) {
  return run(process.execPath, args, options)
}

/** Runs a script's main function; a ScriptError becomes one line and exit status 1. */
export async function main(work) {
  try {
    requireNode(20, 19)
    await work()
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error
    console.error(`\n${error.message}`)
    process.exitCode = 1
  }
}

function requireNode(major, minor) {
  const [seenMajor = 0, seenMinor = 0] = process.versions.node.split('.').map(Number)
  if (seenMajor > major || (seenMajor === major && seenMinor >= minor)) return
  throw new ScriptError(`Node.js ${major}.${minor} or later is needed; this is ${process.versions.node}`)
}
