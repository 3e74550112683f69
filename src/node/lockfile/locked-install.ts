/** What a lockfile's reader hands over: packages with their places, their files, and the commands that lead to them. */

import type { DependencyClosure } from '../project/dependency-closure.ts'
import type { Project } from '../project/detect-project.ts'
import type { NativeBase } from '../project/native-files.ts'
import type { LockedArchive, LockedTree } from './locked-tree.ts'
import type { NpmSettings } from './npmrc.ts'
import type { PackedPackages } from './package-store.ts'

export interface LockedInstall {
  /** The lockfile's name. */
  readonly file: string
  /** The command whose tree it is. */
  readonly command: string
  readonly tree: LockedTree
  readonly closure: DependencyClosure
  /** Of every archive of the closure. */
  readonly packed: PackedPackages
  readonly commands: readonly LockedCommand[]
  /** npm renames and marks files in its own way. */
  readonly asNpm: boolean
  /** What else was decided, a line each. */
  readonly decisions: readonly string[]
}

/** A link in a `.bin` folder. */
export interface LockedCommand {
  /** Of the link, below the root, with `/`. */
  readonly path: string
  /** Of the package whose file it is. */
  readonly owner: string
  /** The file, below the package. */
  readonly file: string
  /** As the link says it. */
  readonly target: string
}

/** Whether a name can be that of a link in `.bin`, and of a file in a layer. */
export function isCommandName(name: string): boolean {
  return name !== '' && !/^\.{1,2}$|^\.wh\.|[/\0]/.test(name)
}

export interface LockQuestion {
  readonly project: Project
  readonly target: NativeBase
  readonly settings: NpmSettings
  /** Fetches what is not at hand. */
  fetch(archives: readonly LockedArchive[]): Promise<PackedPackages>
}
