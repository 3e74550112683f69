/** Whose a native file is: the package that ships it, by where it lies in the image. */

import { below } from '../../plan/image-path.ts'
import type { Project } from './detect-project.ts'

export interface NativeOwner {
  /** As its manager calls it. */
  readonly name: string
  /** In the image. */
  readonly folder: string
  /** It was installed, and is not of this project. */
  readonly isDependency: boolean
}

/** Clients that are generated beside packages, by the folder that they are generated into. */
const generated: Readonly<Record<string, string>> = { '.prisma': '@prisma/client' }

/** `mount` is the image's folder of the project's root. */
export function createOwnerFinder(project: Project, mount: string): (path: string) => NativeOwner {
  const { workspaces, manifest, path: own } = project
  const packages = [
    ...workspaces.map((item) => ({ name: item.manifest.name ?? item.path, folder: below(mount, item.path) })),
    { name: manifest.name ?? 'the app', folder: below(mount, own) },
  ].sort((one, other) => other.folder.length - one.folder.length)
  return (path) => {
    const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0]
    if (folder !== undefined) {
      const name = folder.slice(folder.lastIndexOf('/node_modules/') + '/node_modules/'.length)
      return { name: generated[name] ?? name, folder, isDependency: true }
    }
    const found = packages.find((item) => path.startsWith(`${item.folder}/`))
    return { name: found?.name ?? 'the app', folder: found?.folder ?? mount, isDependency: false }
  }
}
