/** Dependencies that are not read from disk: what planning a project asks of them. */

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
  /** A line each, for `plan`. */
  readonly decisions: readonly string[]
}
