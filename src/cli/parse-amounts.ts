/** Sizes and ages as people type them. */

import { parseBytes } from '../cache/cache-size.ts'
import { OciBuildError } from '../errors.ts'

const ages: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** Bytes of `500MB`, `2 GiB`, `1000`. Throws `OCB-USAGE-OPTION-VALUE`. */
export function parseSize(option: string, text: string): number {
  return parseBytes(text) ?? refuse(option, text, 'a size', '2GB, 500MB or 1GiB')
}

/** Milliseconds of `7d`, `12h`, `90m`, `30s`, `2w`. Throws `OCB-USAGE-OPTION-VALUE`. */
export function parseAge(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const factor = ages[match?.[2]?.toLowerCase() ?? '?']
  if (match === null || factor === undefined) return refuse(option, text, 'an age', '7d, 12h or 90m')
  return Math.round(Number(match[1]) * factor)
}

function refuse(option: string, text: string, wanted: string, examples: string): never {
  throw new OciBuildError('OCB-USAGE-OPTION-VALUE', {
    message: `${option} "${text}" is not ${wanted}`,
    hint: `write it like ${examples}`,
  })
}
