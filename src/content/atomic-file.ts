/** Files that are there whole or not at all: written under a temporary name beside their place, then renamed. */

import { mkdirSync, readdirSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { systemErrorCode } from '../errors.ts'

const prefix = '.ocibuild-tmp-'
/** After this long a temporary file of another host (a shared folder) counts as left behind. */
const staleMs = 24 * 60 * 60 * 1000
// A pid says nothing about a process in another container or host that shares the folder.
const host = hostname()
  .replaceAll(/[^a-zA-Z0-9]/g, '')
  .slice(0, 24)

/** A fresh name in `directory` for a file or folder that is not done yet. */
export function temporaryPath(directory: string): string {
  return join(directory, `${prefix}${process.pid}-${host}-${Math.random().toString(36).slice(2, 12)}`)
}

/** Whether a name is one that `temporaryPath` makes. */
export function isTemporaryName(name: string): boolean {
  return name.startsWith(prefix)
}

/**
 * Writes a file atomically; its folder is made when it is missing. `mode` is the file's, 0666 less the umask by default;
 * `temporaryDir` lies on the same file system.
 */
export function writeFileAtomic(
  path: string,
  bytes: Uint8Array | string,
  mode?: number,
  temporaryDir: string = dirname(path),
): void {
  writeThrough(temporaryDir, path, bytes, { flush: true, ...(mode !== undefined && { mode }) })
}

/**
 * As `writeFileAtomic`, without waiting for the disk: for what is only remembered. After a power cut the file may be
 * empty or cut, and its reader has to notice; for a moment there may be none.
 */
export function writeMemory(
  path: string,
  bytes: Uint8Array | string,
  temporaryDir: string = dirname(path),
): void {
  writeThrough(temporaryDir, path, bytes, { forgets: true })
}

function writeThrough(
  temporaryDir: string,
  path: string,
  bytes: Uint8Array | string,
  { forgets, ...options }: { readonly flush?: boolean; readonly mode?: number; readonly forgets?: boolean },
): void {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = temporaryPath(temporaryDir)
  try {
    writeFileSync(temporary, bytes, options)
    // A file that takes another's place is brought to the disk first (ext4, auto_da_alloc).
    if (forgets === true) removeFile(path)
    renameSync(temporary, path)
  } catch (error) {
    removeFile(temporary)
    throw error
  }
}

/** Removes a file that may be gone already. Unlike `rmSync`, which loads what removes folders first. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error
  }
}

/** Removes what killed processes left in `directory` (not below it). Never throws. */
export function removeStaleTemporaries(directory: string, nowMs: number): void {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch {
    return
  }
  for (const name of names) {
    if (!isTemporaryName(name)) continue
    const path = join(directory, name)
    try {
      if (isStale(path, nowMs)) rmSync(path, { recursive: true, force: true })
    } catch {
      // Another process may be removing it too.
    }
  }
}

function isStale(path: string, nowMs: number): boolean {
  const [pid, owner] = basename(path).slice(prefix.length).split('-')
  if (owner === host && pid !== undefined) return !isAlive(Number(pid))
  return nowMs - statSync(path).mtimeMs > staleMs
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return true
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
