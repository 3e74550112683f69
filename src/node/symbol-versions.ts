/** Versions of a library's symbols in short: the highest of each family stands for those before it. */

/** What a library defines: `GLIBC_2.36 GLIBC_ABI_DT_RELR`. Empty for a library without versions, which loads for all. */
export type VersionSummary = string

interface Version {
  /** `GLIBC`, `CXXABI_ARM` */
  readonly family: string
  readonly numbers: readonly number[]
}

/** By family, then by name. */
export function summariseVersions(names: Iterable<string>): VersionSummary {
  const highest = new Map<string, Version>()
  const words = new Set<string>()
  for (const name of names) {
    const version = parseVersion(name)
    const known = version && highest.get(version.family)
    if (version === undefined) words.add(name)
    else if (known === undefined || compare(known, version) < 0) highest.set(version.family, version)
  }
  return [...words, ...Array.from(highest.values(), format)].sort().join(' ')
}

/** The first of `wanted` that the library does not define; undefined where it has them all, or no versions at all. */
export function lackingVersion(
  summary: VersionSummary,
  wanted: readonly string[],
): { readonly version: string; readonly highest: string | undefined } | undefined {
  if (summary === '') return undefined
  const defined = summary.split(' ')
  const families = new Map(defined.flatMap((name) => withFamily(parseVersion(name))))
  // The highest one says most.
  for (const version of wanted.toSorted((one, other) => other.localeCompare(one, 'en', { numeric: true }))) {
    const parsed = parseVersion(version)
    const known = parsed && families.get(parsed.family)
    const isCovered = parsed !== undefined && known !== undefined && compare(known, parsed) >= 0
    if (isCovered || defined.includes(version)) continue
    return { version, highest: known && format(known) }
  }
  return undefined
}

function withFamily(version: Version | undefined): readonly (readonly [string, Version])[] {
  return version === undefined ? [] : [[version.family, version]]
}

/** Undefined for a name without numbers at its end: `GLIBC_PRIVATE`, `CXXABI_FLOAT128`. */
function parseVersion(name: string): Version | undefined {
  const [, family, numbers] = /^(.+)_(\d+(?:\.\d+)*)$/.exec(name) ?? []
  if (family === undefined || numbers === undefined) return undefined
  return { family, numbers: numbers.split('.').map(Number) }
}

function compare({ numbers }: Version, other: Version): number {
  for (let index = 0; index < Math.max(numbers.length, other.numbers.length); index += 1) {
    const difference = (numbers[index] ?? 0) - (other.numbers[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function format({ family, numbers }: Version): string {
  return `${family}_${numbers.join('.')}`
}
