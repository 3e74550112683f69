/** What `pnpm install --prod` would install, by pnpm-lock.yaml. */

import type { LockedInstall, LockQuestion } from './locked-install.ts'
import { installInstead, unsupported } from './lockfile-error.ts'

/** Refused until pnpm's store of links is laid out here. */
export async function lockPnpm({ project }: LockQuestion, file: string): Promise<LockedInstall> {
  throw unsupported(`${project.root} has ${file}; wanted a lockfile of npm`, installInstead)
}
