/** Every shared library that a program needs, found as its loader would find them. */

import { realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { messageOf, OciBuildError } from '../errors.ts'
import { readElfFile, type ElfInfo } from './elf.ts'
import { candidatePaths, usesMusl, type LibraryHost, type Loaded } from './library-search.ts'

export interface SharedLibrary {
  /** What DT_NEEDED calls it: `libc.so.6`; an absolute path where it holds a slash. */
  readonly name: string
  /** Where it was found, absolute, as the loader spells it (links not followed). */
  readonly foundAt: string
  /** The regular file behind `foundAt`. */
  readonly realPath: string
}

export interface ProgramLibraries {
  /** The program's own header. */
  readonly program: ElfInfo
  /** PT_INTERP and the file behind it; undefined for a static program. */
  readonly interpreter: { readonly path: string; readonly realPath: string } | undefined
  /** In the loader's order, breadth first; the interpreter is not among them. */
  readonly libraries: readonly SharedLibrary[]
}

/**
 * Walks DT_NEEDED from a program. `optional` names libraries that glibc opens while it runs (name resolution):
 * taken with what they need where the host has them; musl has no such libraries. Throws `OCB-ELF-INVALID`, and
 * `OCB-HOST-RUNTIME-LIBRARY` for a needed library that is nowhere.
 */
export function findLibraries(
  host: LibraryHost,
  programPath: string,
  optional: readonly string[],
): ProgramLibraries {
  const elf = readElfFile(join(host.root, programPath))
  const program: Loaded = { path: programPath, elf, loader: undefined }
  if (elf.interpreter === undefined) return { program: elf, interpreter: undefined, libraries: [] }

  const interpreter = { path: elf.interpreter, realPath: realInterpreter(host, elf.interpreter, programPath) }
  const found = new Map<string, SharedLibrary>()
  const loaderNames = new Set([basename(elf.interpreter), readElfFile(interpreter.realPath).soname])
  const queue: { readonly name: string; readonly from: Loaded; readonly mayMiss: boolean }[] = [
    ...elf.needed.map((name) => ({ name, from: program, mayMiss: false })),
    ...(usesMusl(elf) ? [] : optional).map((name) => ({ name, from: program, mayMiss: true })),
  ]
  // The array grows while it is walked: breadth first, so the first to name a library decides, as in the loader.
  for (const { name, from, mayMiss } of queue) {
    if (found.has(name) || loaderNames.has(name) || (usesMusl(elf) && isMuslItself(name))) continue
    const library = locate(host, from, name)
    if (library === undefined) {
      if (mayMiss) continue
      throw notFound(host, from, name)
    }
    found.set(name, library.library)
    const { loaded } = library
    queue.push(...loaded.elf.needed.map((needed) => ({ name: needed, from: loaded, mayMiss })))
  }
  return { program: elf, interpreter, libraries: [...found.values()] }
}

/** musl's loader answers to these names itself and never looks for them. */
export function isMuslItself(name: string): boolean {
  return /^lib(?:c|pthread|rt|m|dl|util|xnet)\./.test(name)
}

function locate(
  host: LibraryHost,
  from: Loaded,
  name: string,
): { readonly library: SharedLibrary; readonly loaded: Loaded } | undefined {
  for (const path of candidatePaths(host, from, name)) {
    const elf = readCandidate(join(host.root, path))
    if (elf === undefined || !sameMachine(elf, from.elf)) continue
    const library = { name, foundAt: path, realPath: realpathSync(join(host.root, path)) }
    return { library, loaded: { path, elf, loader: from } }
  }
  return undefined
}

/** Loaders pass over what is missing and what was made for another machine; so do we over what is no ELF. */
function readCandidate(path: string): ElfInfo | undefined {
  try {
    return readElfFile(path)
  } catch {
    return undefined
  }
}

const armMachine = 40
/** EF_ARM_ABI_FLOAT_HARD and EF_ARM_ABI_FLOAT_SOFT: libraries of one do not work with programs of the other. */
const armFloatFlags = 0x600

function sameMachine(one: ElfInfo, other: ElfInfo): boolean {
  if (one.machine !== other.machine || one.bits !== other.bits || one.littleEndian !== other.littleEndian) {
    return false
  }
  if (one.machine !== armMachine) return true
  const floats = [one.flags & armFloatFlags, other.flags & armFloatFlags]
  return floats[0] === floats[1] || floats.includes(0)
}

function realInterpreter(host: LibraryHost, path: string, programPath: string): string {
  try {
    return realpathSync(join(host.root, path))
  } catch (cause) {
    throw new OciBuildError('OCB-HOST-RUNTIME-LOADER', {
      message: `${programPath} is started by the loader ${path}, which cannot be read: ${messageOf(cause)}`,
      hint: 'use an image layout or a registry image as base',
      cause,
    })
  }
}

function notFound(host: LibraryHost, from: Loaded, name: string): OciBuildError {
  const looked = candidatePaths(host, from, name)
  return new OciBuildError('OCB-HOST-RUNTIME-LIBRARY', {
    message: `${from.path} needs the library ${name}, found at none of ${looked.join(', ')}`,
    hint: 'install the library where the loader finds it, or use an image layout or a registry image as base',
  })
}
