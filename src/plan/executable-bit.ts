/** Whether a file of the host may be executed: by its mode, and on Windows by git's index or its first bytes. */

import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readSync } from 'node:fs'
import { relative, sep } from 'node:path'
import type { Environment } from '../environment.ts'
import { unreadable } from './host-file.ts'

/** `hostMode` is `st_mode`, `hostPath` absolute. */
export type ExecutableRule = (hostPath: string, hostMode: number) => boolean

/**
 * The rule of a host. On Windows, where files have no executable bit, it is git's index's for a tracked file,
 * else a `#!` or a native header (ELF, Mach-O). git is asked once, when the first file is looked at.
 */
export function executableRule(root: string, environment: Environment): ExecutableRule {
  if (environment.hostPlatform !== 'win32') return (_, hostMode) => (hostMode & 0o100) !== 0
  let tracked: ReadonlyMap<string, boolean> | undefined
  return (hostPath) => {
    tracked ??= readGitIndex(root)
    const path = relative(root, hostPath).replaceAll(sep, '/')
    return tracked.get(path) ?? hasExecutableHeader(hostPath)
  }
}

/** Tracked files below `root`, and whether they are executable; none where there is no git or no repository. */
export function readGitIndex(root: string): ReadonlyMap<string, boolean> {
  let output: string
  try {
    output = execFileSync('git', ['ls-files', '-s', '-z'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 512 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'ignore'],
      windowsHide: true,
    })
  } catch {
    return new Map()
  }
  const tracked = new Map<string, boolean>()
  // Each record: `100755 OBJECT STAGE<tab>PATH`.
  for (const record of output.split('\0')) {
    const tab = record.indexOf('\t')
    if (tab !== -1) tracked.set(record.slice(tab + 1), record.startsWith('100755 '))
  }
  return tracked
}

// Mach-O in both byte orders and widths, and its fat form (which Java's class files share: they are told apart below).
const machO: ReadonlySet<number> = new Set([0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe])
const machOFat = 0xcafebabe

/** Whether a file begins as a script (`#!`) or a native program (ELF, Mach-O). */
export function hasExecutableHeader(hostPath: string): boolean {
  const head = Buffer.alloc(8)
  let length: number
  try {
    const file = openSync(hostPath, 'r')
    try {
      length = readSync(file, head, 0, 8, 0)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw unreadable(hostPath, error)
  }
  if (length >= 2 && head[0] === 0x23 && head[1] === 0x21) return true
  if (length < 8) return false
  const magic = head.readUInt32BE(0)
  if (magic === 0x7f454c46 || machO.has(magic)) return true
  // A fat binary counts its architectures here, a class file its version (45 and up).
  return magic === machOFat && head.readUInt32BE(4) < 40
}
