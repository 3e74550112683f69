/** Sizes and ages as people type them. */

import { OciBuildError } from '../errors.ts'

const sizes: Readonly<Record<string, number>> = {
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

const ages: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** Bytes of `500MB`, `2 GiB`, `1000`. Throws `OCB-USAGE-OPTION-VALUE`. */
export function parseSize(option: string, text: string): number {
  return parseAmount(text, sizes) ?? refuse(option, text, 'a size', '2GB, 500MB or 1GiB')
}

/** Milliseconds of `7d`, `12h`, `90m`, `30s`, `2w`. Throws `OCB-USAGE-OPTION-VALUE`. */
export function parseAge(option: string, text: string): number {
  return parseAmount(text, ages) ?? refuse(option, text, 'an age', '7d, 12h or 90m')
}

function parseAmount(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const factor = units[match?.[2]?.toLowerCase() ?? '?']
  return match === null || factor === undefined ? undefined : Math.round(Number(match[1]) * factor)
}

function refuse(option: string, text: string, wanted: string, examples: string): never {
  throw new OciBuildError('OCB-USAGE-OPTION-VALUE', {
    message: `${option} "${text}" is not ${wanted}`,
    hint: `write it like ${examples}`,
  })
}
