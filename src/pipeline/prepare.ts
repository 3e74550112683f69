/** The host commands that come before files are read: the spec's own once, then each image's. */

import type { ResolvedSpec } from '../config/resolved-spec.ts'
import { runPrepare } from '../plan/run-prepare.ts'
import type { Session } from './session.ts'

export async function runAllPrepare(spec: ResolvedSpec, session: Session): Promise<void> {
  if (session.options.prepare === false || spec.images.length === 0) return
  const { environment, reporter } = session
  await runPrepare(spec.prepare, { cwd: spec.root, environment, reporter })
  for (const image of spec.images) await runPrepare(image.prepare, { cwd: image.root, environment, reporter })
}
