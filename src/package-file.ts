/** Files that are shipped beside the code, wherever the compiled code itself lies in the package. */

import { existsSync } from 'node:fs'

/** The URL of a file of this package, by its path from the package's root. */
export function packageFile(path: string): URL {
  let folder = new URL('.', import.meta.url)
  while (!existsSync(new URL('package.json', folder))) {
    const parent = new URL('..', folder)
    if (parent.href === folder.href) throw new Error(`no package.json above ${import.meta.url}`)
    folder = parent
  }
  return new URL(path, folder)
}
