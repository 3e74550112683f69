/** One writer of a layout's index at a time, on this machine and on others that share the folder. */

import { linkSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { removeFile, temporaryPath } from '../content/atomic-file.ts'
import { diskError } from '../content/disk-error.ts'
import { OciBuildError, systemErrorCode, throwIfAborted } from '../errors.ts'

const lockName = '.ocibuild-lock'
const pollMs = 20
/** A lock is held for milliseconds; one that nobody releases for this long and whose owner cannot be asked is dead. */
const breakAfterMs = 30_000
const giveUpAfterMs = 90_000

/** Locks that this process holds, by content: a pid that was given to us again must not look like a living owner. */
const held = new Set<string>()

/**
 * Runs `work` while `.ocibuild-lock` in the folder is ours. Locks of processes that died are broken.
 * Throws `OCB-LAYOUT-LOCKED` after 90 seconds.
 */
export async function withLayoutLock<T>(
  dir: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T> | T,
): Promise<T> {
  const path = join(dir, lockName)
  const token = `${process.pid} ${hostname()} ${Math.random().toString(36).slice(2)}\n`
  held.add(token)
  try {
    await acquire(dir, path, token, signal)
    try {
      return await work()
    } finally {
      if (read(path) === token) removeFile(path)
    }
  } finally {
    held.delete(token)
  }
}

async function acquire(
  dir: string,
  path: string,
  token: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  let seen: string | undefined
  let unchangedMs = 0
  while (!tryCreate(dir, path, token)) {
    throwIfAborted(signal)
    const owner = read(path)
    unchangedMs = owner === seen ? unchangedMs + pollMs : 0
    seen = owner
    if (owner !== undefined && isDead(owner, unchangedMs)) breakLock(dir, path, owner)
    else if (unchangedMs > giveUpAfterMs) throw locked(path, owner)
    else await sleep(pollMs)
  }
}

/** Makes the lock with its content at once, so that nobody ever reads a half-written one. */
function tryCreate(dir: string, path: string, token: string): boolean {
  const temporary = temporaryPath(dir)
  try {
    writeFileSync(temporary, token, { flag: 'wx', mode: 0o644 })
    linkSync(temporary, path)
    return true
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'EEXIST') return false
    // File systems without hard links.
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS') {
      return createExclusively(path, token)
    }
    throw diskError(error, path)
  } finally {
    removeFile(temporary)
  }
}

function createExclusively(path: string, token: string): boolean {
  try {
    writeFileSync(path, token, { flag: 'wx', mode: 0o644 })
    return true
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false
    throw diskError(error, path)
  }
}

function isDead(owner: string, unchangedMs: number): boolean {
  const [pidText, host] = owner.trim().split(' ')
  const pid = Number(pidText)
  if (!Number.isSafeInteger(pid) || pid <= 0 || host !== hostname()) return unchangedMs > breakAfterMs
  if (pid === process.pid) return !held.has(owner) && unchangedMs > breakAfterMs
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return systemErrorCode(error) === 'ESRCH'
  }
}

/** Takes a dead lock away. Two that try at once: the one that moved a new, living lock puts it back. */
function breakLock(dir: string, path: string, owner: string): void {
  const aside = temporaryPath(dir)
  try {
    renameSync(path, aside)
    if (read(aside) !== owner) linkSync(aside, path)
  } catch {
    // Somebody else broke it, or has it already.
  }
  removeFile(aside)
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function locked(path: string, owner: string | undefined): OciBuildError {
  return new OciBuildError('OCB-LAYOUT-LOCKED', {
    message: `waited ${giveUpAfterMs / 1000} seconds for ${path}, held by process ${(owner ?? 'unknown').trim()}`,
    hint: 'wait for that process, or remove the file when it is gone',
  })
}
