/** A reporter for commands without a progress view: warnings are printed, all else is dropped. */

import { createReporter, type EventListener, type Reporter } from '../events.ts'
import type { CliContext } from './context.ts'
import { createPaint } from './paint.ts'
import { formatWarning } from './print-error.ts'

/** `onEvent`: a progress view, which prints warnings itself. */
export function createCliReporter(context: CliContext, onEvent?: EventListener): Reporter {
  const printWarnings: EventListener = (event) => {
    if (event.type !== 'warning') return
    context.stderr(formatWarning(event.warning, createPaint(context.colors)))
  }
  return createReporter(onEvent ?? printWarnings, context.signal, context.environment.now)
}
