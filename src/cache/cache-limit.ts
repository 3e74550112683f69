/** Keeps the cache to its limit: cheaply after each build, thoroughly once a day. */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { writeMemory } from '../content/atomic-file.ts'
import { systemErrorCode } from '../errors.ts'
import { cacheInfo, pruneCache } from './manage-cache.ts'

/** What is not blobs is counted so often. */
const countedMs = 24 * 60 * 60 * 1000
/** Down to this part of the limit, so that not every build has to make room. */
const roomFactor = 0.9

export interface LimitOptions {
  readonly maxBytes: number
  /** Whether something was added since the last time. */
  readonly grown: boolean
  /** Milliseconds since the epoch. */
  readonly nowMs: number
}

/**
 * Makes room where the cache is over its limit, least recently used first; what was used within the last hour stays.
 * Most often it counts the blobs alone, and only if something was added. Never throws: the build is done.
 */
export function limitCache(dir: string, { maxBytes, grown, nowMs }: LimitOptions): void {
  const usageFile = join(dir, 'facts', 'usage')
  if (maxBytes === Number.POSITIVE_INFINITY) return
  try {
    const age = nowMs - (statSync(usageFile, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    const counted = age >= 0 && age < countedMs
    if (counted && !grown) return
    if (counted && blobBytes(dir) + readUsage(usageFile) <= maxBytes) return
    const { bytes } = cacheInfo(dir)
    const left =
      bytes > maxBytes ? pruneCache(dir, { maxBytes: maxBytes * roomFactor, nowMs }).keptBytes : bytes
    writeMemory(usageFile, String(Math.max(0, left - blobBytes(dir))))
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error
  }
}

function blobBytes(dir: string): number {
  const folder = join(dir, 'content', 'blobs', 'sha256')
  let total = 0
  for (const name of readdirSync(folder)) {
    total += statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0
  }
  return total
}

/** The bytes of all but blobs when they were counted last. */
function readUsage(file: string): number {
  const text = readFileSync(file, 'utf8')
  const bytes = Number(text)
  return text !== '' && Number.isSafeInteger(bytes) ? bytes : Number.POSITIVE_INFINITY
}
