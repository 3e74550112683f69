/** The first bytes of a file: enough to tell what it is. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { unreadable } from '../../plan/host-file.ts'

/** At most `length` bytes. Throws `OCB-COPY-UNREADABLE`. */
export function readHead(path: string, length: number): Buffer {
  try {
    const file = openSync(path, 'r')
    try {
      const head = Buffer.alloc(Math.min(length, fstatSync(file).size))
      return head.subarray(0, readSync(file, head, 0, head.length, 0))
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** Whether a file says that Node.js runs it. */
export function hasScriptHeader(path: string): boolean {
  return /^#!.*\bnode\b/.test(readHead(path, 128).toString('latin1').split('\n', 1)[0] ?? '')
}
