/** Progress: the pipeline's events as bars, lines, JSON or nothing. */

import type { BuildEvent, EventListener } from '../events.ts'
import type { ProgressMode } from './build.ts'
import type { CliContext } from './context.ts'
import { createPaint } from './paint.ts'
import { createPlainProgress } from './plain-progress.ts'
import { formatWarning } from './print-error.ts'

export interface ProgressView {
  readonly onEvent: EventListener
  /** Takes what is live off the screen; after `failed` unfinished steps stay visible. */
  close(outcome: 'done' | 'failed'): void
}

/** Opens a view for a mode. `auto` is live on a terminal that a person looks at, else plain. */
export async function createProgress(
  mode: ProgressMode,
  context: CliContext,
  options: { readonly warnings: boolean },
): Promise<ProgressView> {
  if (mode === 'json') {
    return {
      onEvent: (event) => context.stderr(`${JSON.stringify(event)}\n`),
      close: () => undefined,
    }
  }
  if (mode === 'none') {
    const paint = createPaint(context.colors)
    const onEvent = (event: BuildEvent): void => {
      if (options.warnings && event.type === 'warning') context.stderr(formatWarning(event.warning, paint))
    }
    return { onEvent, close: () => undefined }
  }
  if (mode === 'auto' && isLive(context)) {
    const { createLiveProgress } = await import('./live-progress.ts')
    return createLiveProgress(context)
  }
  return createPlainProgress(context)
}

// A CI runner may lend a terminal, but what it keeps is a log.
function isLive({ isTty, environment: { variables } }: CliContext): boolean {
  return isTty && variables['TERM'] !== 'dumb' && (variables['CI'] ?? '') === ''
}
