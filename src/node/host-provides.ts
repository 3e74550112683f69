/** What `host:node` gives to native files: read of this host's own libraries. */

import type { Placement } from '../plan/placement.ts'
import type { BaseRuntime, Libc } from './base-runtime.ts'
import { readElfVersions } from './elf-versions.ts'
import type { NodeRelease } from './program-version.ts'
import { summariseVersions, type VersionSummary } from './symbol-versions.ts'

/** `placements` are the base's layer. */
export function hostBaseRuntime(
  placements: readonly Placement[],
  node: () => Promise<NodeRelease>,
): BaseRuntime {
  const libraries = new Map<string, string>()
  let libc: Libc = 'glibc'
  for (const placement of placements) {
    const name = placement.path.slice(placement.path.lastIndexOf('/') + 1)
    if (name.startsWith('ld-musl-')) libc = 'musl'
    if (placement.type !== 'file' || placement.source.kind !== 'host') continue
    if (/\.so(?:\.\d+)*$/.test(name)) libraries.set(name, placement.source.path)
  }
  const known = new Map<string, VersionSummary>()
  let release: Promise<NodeRelease> | undefined
  return {
    libc: async () => libc,
    async library(name) {
      const path = libraries.get(name)
      if (path === undefined) return undefined
      const summary = known.get(path) ?? summariseVersions(readElfVersions(path).defines)
      known.set(path, summary)
      return summary
    },
    node: () => (release ??= node()),
  }
}
