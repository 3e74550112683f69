/** Colours for people, and none for pipes. */

import { styleText } from 'node:util'

type Format = Parameters<typeof styleText>[0]

export type Paint = (format: Format, text: string) => string

/** A painter that leaves text as it is when `colors` is false. */
export function createPaint(colors: boolean): Paint {
  // The stream was looked at by `wantsColors`; Node.js would look at stdout again.
  return (format, text) => (colors ? styleText(format, text, { validateStream: false }) : text)
}

/**
 * Whether a stream takes colours: a non-empty NO_COLOR says no (no-color.org), then FORCE_COLOR decides
 * (`0` and `false` are no), then whether it is a terminal that can (TERM is not `dumb`).
 */
export function wantsColors(
  variables: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  const { NO_COLOR: never, FORCE_COLOR: force, TERM: term } = variables
  if (never !== undefined && never !== '') return false
  if (force !== undefined) return force !== '0' && force !== 'false'
  return isTerminal && term !== 'dumb'
}
