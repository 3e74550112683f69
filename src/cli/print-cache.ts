/** What `cache info` and `cache prune` do and print. */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { cacheLimitOf } from '../cache/cache-size.ts'
import { cacheInfo, pruneCache, type CacheKind } from '../cache/manage-cache.ts'
import { OciBuildError } from '../errors.ts'
import type { CliContext } from './context.ts'
import { formatBytes, formatCount, formatTable } from './format.ts'
import { parseAge, parseSize } from './parse-amounts.ts'

const meanings: Readonly<Record<CacheKind, string>> = {
  blobs: 'layers and documents',
  layers: 'which changeset became which layer',
  segments: 'which bytes of layers are which of their blocks',
  built: 'what layers held when they were last built',
  files: 'digests of files on this machine',
  names: 'names in base layers',
  packages: 'packages of registries, unpacked',
  facts: 'what is known of this machine, and compiled configs',
  tmp: 'work in progress',
}

const dayMs = 24 * 60 * 60 * 1000
const defaultAgeMs = 30 * dayMs

export function printCacheInfo(dir: string, json: boolean, context: CliContext): void {
  const info = cacheInfo(dir)
  const limit = cacheLimitOf(undefined, context.environment)
  const maxBytes = Number.isFinite(limit) ? limit : null
  if (json) return context.stdout(`${JSON.stringify({ schemaVersion: 1, ...info, maxBytes }, null, 2)}\n`)
  const rows = info.kinds.map(({ kind, count, bytes }) => [
    kind,
    count.toLocaleString('en-US'),
    formatBytes(bytes),
    meanings[kind],
  ])
  const total = info.kinds.reduce((sum, { count }) => sum + count, 0)
  rows.push(['total', total.toLocaleString('en-US'), formatBytes(info.bytes), ''])
  const lines = [dir, ...formatTable(rows, { right: [1, 2], indent: '  ' })]
  if (info.oldestUseMs !== null) {
    const days = Math.floor((context.environment.wallClockMs() - info.oldestUseMs) / dayMs)
    lines.push(`  longest unused: ${days < 1 ? 'less than a day' : formatCount(days, 'day')}`)
  }
  lines.push(`  limit: ${maxBytes === null ? 'none' : formatBytes(maxBytes)}`)
  context.stdout(`${lines.join('\n')}\n`)
}

/** A folder that was named by mistake may hold a `files` or a `tmp` of somebody's own. */
function checkIsCache(dir: string): void {
  if (!existsSync(dir) || existsSync(join(dir, 'content', 'oci-layout'))) return
  // Commands that only look make a cache without content.
  const names = readdirSync(dir).filter((name) => !Object.hasOwn(meanings, name))
  if (names.length === 0) return
  throw new OciBuildError('OCB-USAGE-CACHE-DIR', {
    message: `${dir} is no cache of ocibuild: it holds ${names.slice(0, 3).join(', ')} and no content/oci-layout`,
    hint: 'name the folder that ocibuild cache info shows',
  })
}

export interface PruneRequest {
  readonly all?: boolean | undefined
  readonly maxSize?: string | undefined
  readonly olderThan?: string | undefined
  readonly json?: boolean | undefined
}

export function printPrune(dir: string, request: PruneRequest, context: CliContext): void {
  checkIsCache(dir)
  const { all, maxSize, olderThan } = request
  const asked = all === true || maxSize !== undefined || olderThan !== undefined
  const limit = cacheLimitOf(undefined, context.environment)
  const result = pruneCache(dir, {
    all,
    maxBytes: maxSize !== undefined ? parseSize('--max-size', maxSize) : asked ? undefined : limit,
    olderThanMs:
      olderThan !== undefined ? parseAge('--older-than', olderThan) : asked ? undefined : defaultAgeMs,
    nowMs: context.environment.wallClockMs(),
  })
  if (request.json === true) {
    return context.stdout(`${JSON.stringify({ schemaVersion: 1, dir, ...result }, null, 2)}\n`)
  }
  const { removed, removedBytes, kept, keptBytes, inUse } = result
  context.stdout(
    `removed ${formatCount(removed, 'file')}, ${formatBytes(removedBytes)}; ` +
      `kept ${formatCount(kept, 'file')}, ${formatBytes(keptBytes)}, in ${dir}\n`,
  )
  if (inUse > 0) {
    context.stderr(
      `${formatCount(inUse, 'file was', 'files were')} used within the last hour and stayed, ` +
        `since a build may be running; when none is, ${dir} may be deleted by hand\n`,
    )
  }
}
