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
  platform: Platform,
  env: readonly string[] | undefined,
): (path: string) => number {
  const folders = [...foldersOf(variable(env, 'LD_LIBRARY_PATH')), ...libraryFolders(platform)]
  return (path) => {
    const index = folders.indexOf(folderOf(path))
    return index === -1 ? folders.length : index
  }
}

/** Whether a path, relative, lies where loaders look without being told. */
export function isSearched(platform: Platform): (path: string) => boolean {
  const folders = new Set(libraryFolders(platform))
  return (path) => folders.has(folderOf(path))
}

function libraryFolders({ architecture }: Platform): readonly string[] {
  const tuple = multiarch[architecture]
  const names = [...(tuple === undefined ? [] : [`lib/${tuple}`]), 'lib64', 'lib']
  return [...names.map((name) => `usr/local/${name}`), ...names, ...names.map((name) => `usr/${name}`)]
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
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
