/** What a folder without a package.json says about the image that it wants: read for `ocibuild init`. */

import { readdirSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { sanitiseName } from './package-json.ts'

export interface FolderFacts {
  /** Repository name without host. */
  readonly name: string
  /** Folders of static files, relative. */
  readonly folders: readonly string[]
}

const assetFolders = ['public', 'static', 'assets', 'www']

/** Looks at names in the folder. */
export function inspectFolder(folder: string): FolderFacts {
  const entries = readdirSync(folder, { withFileTypes: true })
  const folders = new Set(entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name))
  return {
    name: sanitiseName(basename(resolve(folder))) ?? 'app',
    folders: assetFolders.filter((name) => folders.has(name)),
  }
}
