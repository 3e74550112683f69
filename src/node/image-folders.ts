/** Where the programs of an image look for libraries and for one another, without reading its loader's cache. */

import type { Platform } from '../spec/platform.ts'

/** Debian's multiarch names by GOARCH. */
const multiarch: Readonly<Record<string, string>> = {
  amd64: 'x86_64-linux-gnu',
  '386': 'i386-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  arm: 'arm-linux-gnueabihf',
  ppc64le: 'powerpc64le-linux-gnu',
  s390x: 's390x-linux-gnu',
  riscv64: 'riscv64-linux-gnu',
  loong64: 'loongarch64-linux-gnu',
  mips64le: 'mips64el-linux-gnuabi64',
}

const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** A number for a library's path, relative: the lower, the sooner the loader finds it (ld.so(8)). */
export function libraryRank(
  { architecture }: Platform,
  env: readonly string[] | undefined,
): (path: string) => number {
  const tuple = multiarch[architecture]
  const names = [...(tuple === undefined ? [] : [`lib/${tuple}`]), 'lib64', 'lib']
  const folders = [
    ...foldersOf(variable(env, 'LD_LIBRARY_PATH')),
    ...names.map((name) => `usr/local/${name}`),
    ...names,
    ...names.map((name) => `usr/${name}`),
  ]
  return (path) => {
    const index = folders.indexOf(path.slice(0, Math.max(path.lastIndexOf('/'), 0)))
    return index === -1 ? folders.length : index
  }
}

/** The folders of PATH, relative. */
export function searchFolders(env: readonly string[] | undefined): readonly string[] {
  return foldersOf(variable(env, 'PATH') ?? usualPath)
}

function foldersOf(list: string | undefined): readonly string[] {
  const absolute = (list ?? '').split(':').filter((folder) => folder.startsWith('/'))
  return absolute.map((folder) => folder.replaceAll(/^\/+|\/+$/g, ''))
}

function variable(env: readonly string[] | undefined, name: string): string | undefined {
  return env?.find((item) => item.startsWith(`${name}=`))?.slice(name.length + 1)
}
