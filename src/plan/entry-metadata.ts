/** Modes, owners and times of what is copied (contract, section 1, Entries). */

import type { ModeSpec, MtimeSpec, OwnerSpec } from '../config/resolved-spec.ts'
import type { MtimeOf } from './placement.ts'

/** What an entry says about all that it places. */
export interface EntryMetadata {
  readonly mode: ModeSpec | undefined
  readonly dirMode: ModeSpec | undefined
  readonly owner: OwnerSpec | undefined
  readonly mtime: MtimeSpec
}

export const fileMode = 0o644
export const executableMode = 0o755
export const directoryMode = 0o755

/** A file's mode: as the entry says, else 0644, or 0755 where the owner may execute. `hostMode` is `st_mode`. */
export function fileModeFor(spec: ModeSpec | undefined, hostMode: number, executable: boolean): number {
  if (spec === undefined) return executable ? executableMode : fileMode
  return spec === 'preserve' ? hostMode & 0o7777 : spec
}

/** What an entry says of directories: `mode: 'preserve'` speaks for them too unless `dirMode` does; undefined: nothing. */
export function directoryModeSpec(metadata: EntryMetadata): ModeSpec | undefined {
  return metadata.dirMode ?? (metadata.mode === 'preserve' ? 'preserve' : undefined)
}

/** The time of a regular file, whole seconds; `mtimeMs` is the host's. */
export function fileMtimeFor(spec: MtimeSpec, mtimeMs: number): MtimeOf {
  if (spec === 'preserve') return Math.floor(mtimeMs / 1000)
  return spec === 'epoch' ? 0 : spec
}

/** The time of what is no regular file. */
export function otherMtimeFor(spec: MtimeSpec, mtimeMs: number): number {
  if (spec === 'preserve') return Math.floor(mtimeMs / 1000)
  return typeof spec === 'number' ? spec : 0
}
