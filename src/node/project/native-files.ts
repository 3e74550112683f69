/** Native files of an image: that its base can load them is known before it is built. */

import { compileGlobs } from '../../plan/glob-rules.ts'
import type { Placement } from '../../plan/placement.ts'
import { lastMatch } from '../../plan/rules.ts'
import type { Libc } from '../base-runtime.ts'
import type { Project } from './detect-project.ts'
import { wrongLack, wrongPlatform } from './native-errors.ts'
import { readNativeHeader, readNativeNeeds } from './native-header.ts'
import { findLack, fits, type NativeBase, type NativeFile } from './native-lack.ts'
import { createOwnerFinder } from './native-owner.ts'
import { cpuOf } from './native-platform.ts'
import { withNativeSource } from './native-source.ts'

export type { NativeBase } from './native-lack.ts'

/** Packages that go on in JavaScript, or with what the system has, where nothing native of theirs loads. */
const doWithout: ReadonlySet<string> = new Set([
  'bigint-buffer',
  'bufferutil',
  'clipboardy',
  'cpu-features',
  'keccak',
  'msgpackr-extract',
  'node-notifier',
  'secp256k1',
  'ssh2',
  'utf-8-validate',
])

export interface NativeQuestion {
  /** Of all layers of the project. */
  readonly placements: readonly Placement[]
  readonly project: Project
  /** The image's folder of the project's root. */
  readonly mount: string
  /** Globs of files that may ship whatever they run on; below the root or their package. */
  readonly allow: readonly string[]
  /** What the spec's own layers place. */
  readonly others: readonly Placement[]
  readonly base: NativeBase
}

export interface NativeFindings {
  /** How many there are. */
  readonly files: number
  /** The base's, where it was known or had to be asked for. */
  readonly libc: Libc | undefined
}

/**
 * Reads the header of each native file. Packages carry files for many systems: one that has some and none for the
 * target is refused, and so is an addon of which none loads in the base, and any that was compiled here for another.
 * Throws `OCB-NODE-NATIVE`, `OCB-ELF-INVALID` and `OCB-COPY-UNREADABLE`.
 */
export async function checkNativeFiles(question: NativeQuestion): Promise<NativeFindings> {
  const { base, project, placements, others } = question
  const files = base.platform.os === 'linux' ? findNativeFiles(question) : []
  if (files.length === 0) return { files: 0, libc: base.libc }
  const needsLibc = files.some(({ header }) => header.libc !== undefined)
  const libc = base.libc ?? (needsLibc ? await base.runtime?.libc() : undefined)
  const target: NativeBase = { ...base, libc }
  // What lies anywhere in the image may be what a native file finds beside it.
  const provided = new Set(
    [...placements, ...others].map(({ path }) => path.slice(path.lastIndexOf('/') + 1)),
  )
  for (const own of groupBy(files, ({ owner }) => owner.folder).values()) {
    refuseOthers(own, target, project)
    for (const variants of groupBy(own, addonOf).values()) {
      const lacks = []
      const loadable = variants.filter(({ header }) => fits(header, target))
      for (const file of loadable) {
        const needs = withNativeSource(file.source, file.path, readNativeNeeds)
        const lack = await findLack(file, needs, target, provided)
        if (lack === undefined) continue
        lacks.push({ file, lack })
        if (isCompiled(file)) throw wrongLack(file, lack, target, project.manager)
      }
      const [first] = lacks
      if (first === undefined || lacks.length < loadable.length) continue
      throw wrongLack(first.file, first.lack, target, project.manager)
    }
  }
  return { files: files.length, libc }
}

/** Addons decide where there are some: what else lies beside them may be for other systems. */
function refuseOthers(own: readonly NativeFile[], target: NativeBase, { manager }: Project): void {
  const addons = own.filter(({ path }) => path.endsWith('.node'))
  const loaded = addons.length > 0 ? addons : own.filter(({ header }) => header.os === 'linux')
  const unfit = loaded.filter(({ header }) => !fits(header, target))
  const compiled = unfit.find(isCompiled)
  const nearest = unfit.toSorted((one, other) => distance(one, target) - distance(other, target))[0]
  const culprit = compiled ?? (unfit.length === loaded.length ? nearest : undefined)
  if (culprit === undefined) return
  // One that brings files for many systems is not installed anew for another: it is compiled there.
  const brings = compiled !== undefined || new Set(loaded.map(({ header }) => header.os)).size > 1
  throw wrongPlatform(culprit, target, manager, brings ? 'compile' : 'install')
}

/** How much of a file's header is not the target's: the nearest one says most. */
function distance({ header: { os, cpus } }: NativeFile, { platform }: NativeBase): number {
  return (os === platform.os ? 0 : 2) + (cpus.includes(cpuOf(platform)) ? 0 : 1)
}

/** Loaders take what was compiled on this machine, whatever lies beside it. */
function isCompiled({ path }: NativeFile): boolean {
  return /\/build\/(?:Release|Debug)\/[^/]+\.node$/.test(path)
}

/** Words of a path that say for which system, release or kind of Node.js a file is, and not which addon it is. */
const variantWord =
  /^(?:linux(?:musl)?|darwin|mac(?:os)?|win(?:dows|32)?|(?:free|open)bsd|android|x(?:64|86)|amd64|arm(?:64|hf|v\d+l?)?|aarch64|ia32|i[36]86|s390x|ppc64(?:le)?|riscv64|loong64|musl(?:eabihf)?|glibc|gnu(?:eabi(?:hf)?)?|msvc|universal|node|napi|electron|abi\d+|v?\d+x?|x|debian|rhel|openssl)$/

/** The same for all files of which one is loaded. */
function addonOf({ path, owner }: NativeFile): string {
  const words = path.slice(owner.folder.length + 1).split(/[/._+-]/)
  return words.filter((word) => !variantWord.test(word.toLowerCase())).join('/')
}

function findNativeFiles({ placements, project, mount, allow }: NativeQuestion): readonly NativeFile[] {
  const ownerOf = createOwnerFinder(project, mount)
  const rules = compileGlobs(allow, 'node.allow', 'spec')
  const isAllowed = (path: string): boolean => rules[lastMatch(rules, path, undefined)]?.negated === false
  return placements.flatMap((placement) => {
    if (placement.type !== 'file' || !mayBeNative(placement.path, placement.mode)) return []
    const { path, source } = placement
    const owner = ownerOf(path)
    if (owner.isDependency && doWithout.has(owner.name)) return []
    const header = withNativeSource(source, path, readNativeHeader)
    if (header === undefined) return []
    const names = [path.slice(mount.length + 1), path.slice(owner.folder.length + 1)]
    return names.some(isAllowed) ? [] : [{ path, source, owner, header }]
  })
}

/** Most files are not looked into: names tell which may be native. */
function mayBeNative(path: string, mode: number): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (/\.(?:node|dylib|dll|exe)$|\.so(?:\.\d+)*$/.test(name)) return true
  return (
    (mode & 0o111) !== 0 && !/\.(?:[cm]?[jt]sx?|json|map|sh|bash|py|pl|rb|md|txt|html?|css|ya?ml)$/.test(name)
  )
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}
