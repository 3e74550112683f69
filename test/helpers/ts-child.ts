/** TypeScript in a process of its own, on every supported Node.js. */

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Starts a TypeScript file of the tests; its stdout can be read, its stderr is shown. */
export function startScript(path: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'jiti/register', path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

/** Its exit code, or the signal that ended it. */
export async function exitOf(child: ChildProcess): Promise<number | string> {
  const [code, signal]: unknown[] = await once(child, 'exit')
  return typeof code === 'number' ? code : String(signal)
}
