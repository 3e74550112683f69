/** Where glibc's and musl's loaders look for a shared library, in their order (ld.so(8)). */

import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { ElfInfo } from './elf.ts'

/** The file system that is searched: `/`, or in tests a folder that plays it. */
export interface LibraryHost {
  readonly root: string
  /** `LD_LIBRARY_PATH`, split; searched last, so that an image depends on it only where nothing else helps. */
  readonly libraryPath: readonly string[]
}

/** An object on the way from the program to the library that is looked for. */
export interface Loaded {
  /** Absolute path on the host (below its root). */
  readonly path: string
  readonly elf: ElfInfo
  /** Undefined for the program itself. */
  readonly loader: Loaded | undefined
}

/** Names by `e_machine`: what Debian's multiarch folders begin with, and what `$PLATFORM` stands for. */
const machines: Readonly<
  Record<number, { readonly multiarch: readonly string[]; readonly platform: string }>
> = {
  3: { multiarch: ['i386-linux-gnu'], platform: 'i686' },
  8: { multiarch: ['mips64el-linux-gnuabi64', 'mipsel-linux-gnu'], platform: 'mips' },
  20: { multiarch: ['powerpc-linux-gnu'], platform: 'powerpc' },
  21: { multiarch: ['powerpc64le-linux-gnu', 'powerpc64-linux-gnu'], platform: 'power8' },
  22: { multiarch: ['s390x-linux-gnu'], platform: 'z900' },
  40: { multiarch: ['arm-linux-gnueabihf', 'arm-linux-gnueabi'], platform: 'v7l' },
  62: { multiarch: ['x86_64-linux-gnu'], platform: 'x86_64' },
  183: { multiarch: ['aarch64-linux-gnu'], platform: 'aarch64' },
  243: { multiarch: ['riscv64-linux-gnu'], platform: 'riscv64' },
  258: { multiarch: ['loongarch64-linux-gnu'], platform: 'loongarch64' },
}

/** Absolute host paths (below the root, without it) at which the loader of `from` tries `name`, first to last. */
export function candidatePaths(host: LibraryHost, from: Loaded, name: string): readonly string[] {
  if (name.includes('/')) return [name.startsWith('/') ? name : join(dirname(from.path), name)]
  const directories = [
    ...ownDirectories(from),
    ...(usesMusl(programOf(from).elf)
      ? muslDirectories(host)
      : [...readLoaderConfig(host, '/etc/ld.so.conf', 0), ...defaultDirectories(from.elf)]),
    ...host.libraryPath,
  ]
  return [...new Set(directories)].map((directory) => join(directory, name))
}

/** Whether a program is started by musl's loader, which is its C library, too. */
export function usesMusl(program: ElfInfo): boolean {
  return basename(program.interpreter ?? '').startsWith('ld-musl-')
}

/** The folders that glibc's loaders search without any configuration, `/lib` before `/usr/lib`. */
function defaultDirectories(elf: ElfInfo): readonly string[] {
  const multiarch = machines[elf.machine]?.multiarch ?? []
  const names = [...multiarch.map((tuple) => `lib/${tuple}`), ...(elf.bits === 64 ? ['lib64'] : []), 'lib']
  return [...names.map((name) => `/${name}`), ...names.map((name) => `/usr/${name}`), '/usr/local/lib']
}

/** RUNPATH speaks for the object's own libraries alone and silences RPATH; RPATH speaks for all below, too. */
function ownDirectories(from: Loaded): readonly string[] {
  if (from.elf.runpath.length > 0) return from.elf.runpath.flatMap((path) => expandTokens(path, from))
  const directories: string[] = []
  for (let object: Loaded | undefined = from; object !== undefined; object = object.loader) {
    const origin: Loaded = object
    if (origin.elf.runpath.length > 0) continue
    directories.push(...origin.elf.rpath.flatMap((path) => expandTokens(path, origin)))
  }
  return directories
}

/** `$LIB` differs between distributions: each of its values is tried. Relative folders are left out. */
function expandTokens(path: string, object: Loaded): readonly string[] {
  const machine = machines[object.elf.machine]
  const withOrigin = path
    .replaceAll(/\$(?:ORIGIN\b|\{ORIGIN\})/g, () => dirname(object.path))
    .replaceAll(/\$(?:PLATFORM\b|\{PLATFORM\})/g, () => machine?.platform ?? 'unknown')
  const lib = /\$(?:LIB\b|\{LIB\})/g
  const names = lib.test(withOrigin)
    ? [...(machine?.multiarch ?? []).map((tuple) => `lib/${tuple}`), 'lib64', 'lib']
    : ['']
  return names
    .map((name) => withOrigin.replaceAll(lib, () => name))
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => resolve(directory))
}

function programOf(object: Loaded): Loaded {
  return object.loader === undefined ? object : programOf(object.loader)
}

/** `/etc/ld.so.conf` and what it includes: the folders that ld.so.cache is made of. */
function readLoaderConfig(host: LibraryHost, path: string, depth: number): readonly string[] {
  // ldconfig itself does not stop at a file that includes itself.
  if (depth > 8) return []
  const directories: string[] = []
  for (const rawLine of readText(join(host.root, path)).split('\n')) {
    const line = rawLine.replace(/#.*/, '').trim()
    const include = /^include\s+(.+)$/.exec(line)?.[1]
    if (include !== undefined) {
      for (const pattern of include.split(/\s+/)) {
        const files = matchInFolder(host, resolve(dirname(path), pattern))
        directories.push(...files.flatMap((file) => readLoaderConfig(host, file, depth + 1)))
      }
    } else if (line.startsWith('/')) {
      directories.push(
        ...line
          .split(/[\s:,]+/)
          .filter((part) => part.startsWith('/'))
          .map(withoutHwcap),
      )
    }
  }
  return directories
}

/** A path file of musl replaces its own folders. */
function muslDirectories(host: LibraryHost): readonly string[] {
  const configured = matchInFolder(host, '/etc/ld-musl-*.path')
    .flatMap((file) => readText(join(host.root, file)).split(/[\n:]/))
    .map((line) => line.trim())
    .filter((line) => line.startsWith('/'))
  return configured.length > 0 ? configured : ['/lib', '/usr/local/lib', '/usr/lib']
}

/** Old ldconfig syntax: `/lib/x=TYPE`. */
function withoutHwcap(directory: string): string {
  return resolve(directory.replace(/=.*$/, ''))
}

/** Files of one folder whose names match a pattern with `*` and `?`, by name. */
function matchInFolder(host: LibraryHost, pattern: string): readonly string[] {
  const folder = dirname(pattern)
  const name = pattern.slice(folder === '/' ? 1 : folder.length + 1)
  const source = name
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  const matcher = new RegExp(`^${source}$`)
  try {
    return readdirSync(join(host.root, folder))
      .filter((entry) => matcher.test(entry) && !entry.startsWith('.'))
      .sort()
      .map((entry) => join(folder, entry))
  } catch {
    return []
  }
}

/** A missing or unreadable configuration file configures nothing, as for the loader. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
