/** What `plan` says of a closure: how many packages, and why a devDependency is one of them. */

import { formatPlatform } from '../../spec/platform.ts'
import type { DependencyClosure } from './dependency-closure.ts'
import type { Project } from './detect-project.ts'
import type { NativeTarget } from './native-platform.ts'

/** A line each. */
export function closureDecisions(
  project: Project,
  closure: DependencyClosure,
  target: NativeTarget,
): readonly string[] {
  const { packages } = closure
  if (packages.length === 0) return ['dependencies: none (package.json has none for production)']
  const line = `dependencies: ${packages.length} packages as they are installed (what package.json leads to, without devDependencies)`
  const peers = shippedForDevelopment(project, closure)
  return [
    line,
    ...(peers.length > 0
      ? [`also: ${peers.join(', ')} (devDependencies that packages of production ask for)`]
      : []),
    ...leftOutDecision(closure, target),
  ]
}

/** Of what is there to be left out; no line where nothing is. */
export function leftOutDecision(
  { leftOut }: Pick<DependencyClosure, 'leftOut'>,
  target: NativeTarget,
): readonly string[] {
  const names = [...new Set(leftOut.filter(({ manifest }) => manifest).map(({ name }) => name))].sort()
  if (names.length === 0) return []
  const platform = [formatPlatform(target.platform), target.libc].filter((word) => word !== undefined)
  const shown = names.length > 3 ? [...names.slice(0, 3), `${names.length - 3} more`] : names
  return [`left out: ${shown.join(', ')} (optional, and not for ${platform.join(' with ')})`]
}

/** Names of devDependencies that are peers of what ships: managers install them for production, too. */
function shippedForDevelopment(
  { manifest, folder, root }: Project,
  { packages, taken }: DependencyClosure,
): readonly string[] {
  const { dependencies, optionalDependencies, peerDependencies, devDependencies } = manifest
  const own = new Set([...dependencies, ...optionalDependencies, ...peerDependencies])
  const shipped = new Set(packages.map((item) => item.folder))
  return devDependencies.flatMap((name) => {
    if (own.has(name)) return []
    const here = [folder, root].map((place) => closureFolder(taken, place, name))
    if (!here.some((path) => path !== undefined && shipped.has(path))) return []
    const by = packages.find((item) => item.manifest?.peerDependencies.includes(name) === true)
    return by === undefined ? [] : [`${name}, a peer of ${by.name}`]
  })
}

function closureFolder(taken: DependencyClosure['taken'], place: string, name: string): string | undefined {
  for (const [nodeModules, packages] of taken) {
    if (nodeModules.slice(0, -'/node_modules'.length) === place) return packages.get(name)?.folder
  }
  return undefined
}
