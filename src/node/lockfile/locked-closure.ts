/** The closure of a locked tree: an optional package that could not be installed whole is left out whole. */

import { join } from 'node:path'
import { findClosure, type DependencyClosure } from '../project/dependency-closure.ts'
import type { Project } from '../project/detect-project.ts'
import type { Manifest } from '../project/manifest.ts'
import { fitsTarget, type NativeTarget } from '../project/native-platform.ts'
import { openLockedTree, type LockedTree } from './locked-tree.ts'

/** Throws what `findClosure` throws. */
export function findLockedClosure(
  project: Project,
  tree: LockedTree,
  target: NativeTarget,
): DependencyClosure {
  const source = openLockedTree(project.root, tree)
  const fits = (manifest: Manifest): boolean => fitsTarget(manifest, target)
  const closure = findClosure(project, fits, source)
  if (closure.packages.every(({ manifest }) => manifest === undefined || fits(manifest))) return closure
  const broken = new Set([...tree.packages.values()].filter(({ manifest }) => !fits(manifest)))
  // What cannot do without a package that is not for the target is not for it either.
  for (let size = -1; size !== broken.size;) {
    size = broken.size
    const folders = new Set(Array.from(broken, ({ path }) => join(project.root, path)))
    for (const item of tree.packages.values()) {
      const folder = join(project.root, item.path)
      const needs = item.manifest.dependencies.map((name) => source.tree.resolve(name, folder)?.folder)
      if (needs.some((found) => found !== undefined && folders.has(found))) broken.add(item)
    }
  }
  const manifests = new Set(Array.from(broken, ({ manifest }) => manifest))
  return findClosure(project, (manifest) => !manifests.has(manifest), source)
}
