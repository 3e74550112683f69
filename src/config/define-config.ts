/** What a config file imports from the package. */

import type { SpecExport } from './spec-types.ts'

/** Returns the spec as it came; gives editors the types, and so the misspelt keys. */
export function defineConfig(spec: SpecExport): SpecExport {
  return spec
}

/**
 * The tags under which a semantic version is published: `1.4.0` gives `['1.4.0', '1.4', '1']`. A leading `v` is
 * dropped; a pre-release stands for itself only, and build metadata (`+…`) is left out as tags cannot hold it.
 * Without a version (no tag at HEAD) there are none.
 */
export function semverTags(version: string | undefined): string[] {
  const match = /^v?(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?(?:\+.*)?$/.exec(version ?? '')
  if (match === null) return []
  const [, major, minor, patch, prerelease] = match
  const whole = `${major}.${minor}.${patch}`
  if (prerelease !== undefined) return [`${whole}${prerelease}`]
  // 0.x promises nothing to the next minor: a tag `0` would move across breaking changes.
  return major === '0' ? [whole, `0.${minor}`] : [whole, `${major}.${minor}`, `${major}`]
}
