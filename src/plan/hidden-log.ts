/** Counts what each pattern hid, for `plan` and for the error when nothing is left. */

import type { HiddenBy } from './placement.ts'

export interface HiddenLog {
  /** Counts one more name that `rule` hid, or so many. */
  add(rule: string, count?: number): void
  /** In the order in which the rules first hid something. */
  all(): readonly HiddenBy[]
}

export function createHiddenLog(layer: string): HiddenLog {
  const counts = new Map<string, number>()
  return {
    add(rule, count = 1) {
      counts.set(rule, (counts.get(rule) ?? 0) + count)
    },
    all: () => [...counts].map(([rule, count]) => ({ layer, rule, count })),
  }
}
