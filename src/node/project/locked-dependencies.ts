/** Dependencies that are not read from disk: what planning a project asks of them. */

import { executableMode } from '../../plan/entry-metadata.ts'
import type { Placement } from '../../plan/placement.ts'
import type { DependencyClosure } from './dependency-closure.ts'
import type { ImageMap } from './place-project.ts'
import type { FindBin } from './start-command.ts'

export interface LockedDependencies {
  /** Folders of its packages are where an install would make them. */
  readonly closure: DependencyClosure
  /** Third-party packages, with the links and commands that lead to them. */
  placePackages(map: ImageMap): readonly Placement[]
  /** Links and commands that lead to workspace packages. */
  placeWorkspaceLinks(map: ImageMap): readonly Placement[]
  readonly findBin: FindBin
  /** Files of workspace packages, absolute, that an install would let be executed: commands lead to them. */
  readonly executables: ReadonlySet<string>
  /** What each node of the image needs to find them. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** A line each, for `plan`. */
  readonly decisions: readonly string[]
}

/** A file of a workspace package, with the mode that an install would have given it on disk. */
export function asCommand(placement: Placement, locked: LockedDependencies | undefined): Placement {
  if (placement.type !== 'file' || placement.source.kind !== 'host') return placement
  if (locked?.executables.has(placement.source.path) !== true) return placement
  return { ...placement, mode: executableMode }
}
