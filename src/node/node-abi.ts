/** NODE_MODULE_VERSION: which releases of Node.js load an addon that is no Node-API one (nodejs.org, abi_version_registry). */

/** By major release; each has one for life. */
const modulesOfMajor: ReadonlyMap<number, number> = new Map([
  [10, 64],
  [11, 67],
  [12, 72],
  [13, 79],
  [14, 83],
  [15, 88],
  [16, 93],
  [17, 102],
  [18, 108],
  [19, 111],
  [20, 115],
  [21, 120],
  [22, 127],
  [23, 131],
  [24, 137],
  [25, 141],
  [26, 147],
])

/** Of `22.11.0`; undefined for a release that is not known here. */
export function modulesOf(version: string): number | undefined {
  return modulesOfMajor.get(Number(version.split('.')[0]))
}

/** The major release of a module version. */
export function majorOfModules(modules: number): number | undefined {
  return Array.from(modulesOfMajor).find(([, known]) => known === modules)?.[0]
}
