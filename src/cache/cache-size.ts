/** How large the cache may become, as people write it. */

import type { Environment } from '../environment.ts'
import { OciBuildError } from '../errors.ts'

/** Where nobody says how much. */
const defaultMaxBytes = 10e9

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  kib: 2 ** 10,
  m: 1e6,
  mb: 1e6,
  mib: 2 ** 20,
  g: 1e9,
  gb: 1e9,
  gib: 2 ** 30,
  t: 1e12,
  tb: 1e12,
  tib: 2 ** 40,
}

/** Bytes of `500MB`, `2 GiB`, `1000`; undefined for what is no size. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const factor = units[match?.[2]?.toLowerCase() ?? '?']
  return match === null || factor === undefined ? undefined : Math.round(Number(match[1]) * factor)
}

/**
 * The limit in bytes: `asked`, else `OCIBUILD_CACHE_MAX_SIZE`, else 10 GB; Infinity for `none`. Throws
 * `OCB-USAGE-CACHE-SIZE`.
 */
export function cacheLimitOf(asked: number | undefined, { variables }: Environment): number {
  const text = variables['OCIBUILD_CACHE_MAX_SIZE']
  if (asked !== undefined) return asked
  return text ? parseLimit('OCIBUILD_CACHE_MAX_SIZE', text) : defaultMaxBytes
}

/** `2GB`, or `none`. `name` is what the user calls it. Throws `OCB-USAGE-CACHE-SIZE`. */
export function parseLimit(name: string, text: string): number {
  const bytes = text === 'none' ? Number.POSITIVE_INFINITY : parseBytes(text)
  if (bytes !== undefined) return bytes
  throw new OciBuildError('OCB-USAGE-CACHE-SIZE', {
    message: `${name} is "${text}", which is no size; wanted one like 10GB, or none`,
    hint: `write ${name}=10GB`,
  })
}
