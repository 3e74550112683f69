/** The packages of a monorepo that become images: those that are started, and not only imported. */

import { basename } from 'node:path'
import { sanitiseName } from '../../config/package-json.ts'
import { resolveFile } from './entry-file.ts'
import { findFramework } from './frameworks.ts'
import type { Manifest } from './manifest.ts'
import type { Project } from './detect-project.ts'

export interface App {
  /** Its key in `images`: letters, digits, `_`, `.` and `-`, once. */
  readonly image: string
  /** Below the root, with `/`; '' is the root itself. */
  readonly path: string
  readonly project: Project
}

/** `project` is the monorepo's root. By path, the root first. */
export function findApps(project: Project): readonly App[] {
  const { workspaces } = project
  const used = new Set(
    [project.manifest, ...workspaces.map(({ manifest }) => manifest)].flatMap((manifest) => [
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.optionalDependencies,
      ...manifest.peerDependencies,
    ]),
  )
  const own: readonly Project[] = workspaces.map(({ folder, path, manifest }) => ({
    ...project,
    folder,
    path,
    manifest,
  }))
  const apps = [...(startsRoot(project) ? [project] : []), ...own.filter((item) => isApp(item, used))]
  const names = new Set<string>()
  return apps.map((item) => {
    const image = freeName(item, names)
    names.add(image)
    return { image, path: item.path, project: item }
  })
}

/** A library has `main`, too: what others of the monorepo import, or the world may, is none. */
function isApp(project: Project, used: ReadonlySet<string>): boolean {
  const { manifest, folder } = project
  if (manifest.scripts['start'] !== undefined || findFramework(project) !== undefined) return true
  if (!manifest.isPrivate || (manifest.name !== undefined && used.has(manifest.name))) return false
  return entriesOf(manifest).some((file) => resolveFile(folder, file) !== undefined)
}

function entriesOf({ main, bin }: Manifest): readonly string[] {
  return [...(main === undefined ? [] : [main]), ...Object.values(bin), 'server.js', 'dist/server.js']
}

/** A script of the root most often starts a package by its manager. */
function startsRoot({ manifest }: Project): boolean {
  return /^(?:[A-Za-z_]\w*=\S* +)*node(?: |$)/.test((manifest.scripts['start'] ?? '').trim())
}

function freeName({ manifest, path, folder }: Project, taken: ReadonlySet<string>): string {
  const wishes = [
    manifest.name?.replace(/^@[^/]*\//, ''),
    basename(folder),
    path.replaceAll('/', '-'),
    manifest.name,
  ]
  const names = wishes.flatMap((wish) => (wish === undefined ? [] : (sanitiseName(wish) ?? [])))
  const free = names.find((name) => !taken.has(name))
  if (free !== undefined) return free
  let count = 2
  while (taken.has(`${names[0] ?? 'app'}-${count}`)) count += 1
  return `${names[0] ?? 'app'}-${count}`
}
