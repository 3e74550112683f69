/** `init: true`: what makes Node.js end on signals when it is process 1, for which the kernel has no default action. */

import type { Placement } from '../../plan/placement.ts'
import { origin } from './place-project.ts'

/** An app that listens for a signal itself is left to it; exit codes are those of a shell, 128 and the signal's number. */
const source = `'use strict'
const { isMainThread } = require('node:worker_threads')
const { pid, exit } = process
if (pid === 1 && isMainThread) {
  for (const [signal, number] of [['SIGTERM', 15], ['SIGINT', 2]]) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) exit(128 + number)
    })
  }
}
`

/** The preload as a file below the app's folder. */
export function initPlacement(mount: string): Placement {
  const bytes = new TextEncoder().encode(source)
  return {
    type: 'file',
    path: `${mount}/.ocibuild/init.cjs`,
    origin,
    mode: 0o644,
    owner: '0:0',
    mtime: 'content',
    source: { kind: 'bytes', bytes },
  }
}

/** `node …` with the preload. */
export function withInit(cmd: readonly string[], path: string): readonly string[] {
  const [node = 'node', ...rest] = cmd
  return [node, '--require', path, ...rest]
}
