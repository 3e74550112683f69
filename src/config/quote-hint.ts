/** What a number meant where a string is wanted: YAML reads `0644` and `1.10` as numbers and forgets how they looked. */

import type { Path } from './fault.ts'

/** `a string: write mode: "0644"`; undefined where no quoting helps. */
export function quoteForString(
  value: unknown,
  path: Path,
  wanted: string,
  source: string | undefined,
): string | undefined {
  if (typeof value !== 'number' && typeof value !== 'boolean') return undefined
  const key = path.at(-1)
  const isMode = key === 'mode' || key === 'dirMode'
  let text = source ?? String(value)
  if (isMode && typeof value === 'number') text = octalOf(value, source)
  // Compose and others count seconds; quotes alone would not make a duration of it.
  if (typeof value === 'number' && wanted.startsWith('a duration')) text = `${value}s`
  const label = typeof key === 'string' && /^[\w$]+$/.test(key) ? `${key}: ` : ''
  // The grammar after the colon matters less here than the quotes. A colon in an example is another one.
  return `${wanted.split(/: /)[0]}: write ${label}${JSON.stringify(text)}`
}

/** Permission bits that people write; as decimals they tell that the octal was already read as such. */
const usual = [0o400, 0o440, 0o444, 0o500, 0o550, 0o555, 0o600, 0o640, 0o644, 0o660, 0o664, 0o666, 0o700]
const usualExecutable = [0o710, 0o711, 0o750, 0o755, 0o770, 0o775, 0o777, 0o1777, 0o2755, 0o4755]
const usualModes = new Set([...usual, ...usualExecutable])

function octalOf(value: number, source: string | undefined): string {
  const digits = /^0o?([0-7]+)$/.exec(source ?? '')?.[1]
  if (digits !== undefined) return digits.padStart(4, '0')
  if (!usualModes.has(value) && /^[0-7]{3,4}$/.test(String(value))) return String(value).padStart(4, '0')
  return value.toString(8).padStart(4, '0')
}
