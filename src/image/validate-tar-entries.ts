/** The rules of a layer's entries, one after another (image-spec v1.1.1 layer.md). */

import { printableName } from '../rootfs/entry-name.ts'
import type { Findings, ValidationCode } from './validate-finding.ts'

export type TarEntryType =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'hardlink'
  | 'character'
  | 'block'
  | 'fifo'
  | 'unknown'

export interface TarEntry {
  /** As it stands in the tar. */
  readonly name: string
  /** The name is not UTF-8. */
  readonly undecodable: boolean
  readonly type: TarEntryType
  /** Bytes, as the header says. */
  readonly size: number
  /** As it stands in the tar. */
  readonly target: string | undefined
}

/** What is left to ask of the layers below. */
export interface LayerNames {
  /** Normalised paths (`usr/bin/x`, '' is the root) and what they are; whiteouts are not among them. */
  readonly names: ReadonlyMap<string, TarEntryType>
  /** Hard links whose target this layer does not hold. */
  readonly danglingLinks: readonly { readonly path: string; readonly target: string }[]
}

export interface EntryRules {
  entry(entry: TarEntry): void
  /** Checks what only the whole layer can show. Called once. */
  finish(): LayerNames
}

const whiteoutPrefix = '.wh.'
const opaqueName = '.wh..wh..opq'
const quote = printableName

export function createEntryRules(where: string, findings: Findings): EntryRules {
  const add = (code: ValidationCode, message: string): void => findings.add(code, where, message)
  const names = new Map<string, TarEntryType>()
  const whiteouts = new Set<string>()
  const markers = new Set<string>()
  const missingParents = new Map<string, string>()
  const pendingLinks: { path: string; target: string }[] = []

  const checkParent = (path: string): void => {
    const parent = parentOf(path)
    if (parent === '') return
    const type = names.get(parent)
    if (type === 'directory' || missingParents.has(parent)) return
    if (type === undefined) missingParents.set(parent, path)
    else if (type === 'symlink') {
      add(
        'OCB-VALIDATE-PARENT-LINK',
        `${quote(path)} lies below ${quote(parent)}, a symlink of the same layer`,
      )
    } else add('OCB-VALIDATE-PARENT-TYPE', `${quote(path)} lies below ${quote(parent)}, which is a ${type}`)
  }

  const checkHardlink = (path: string, rawTarget: string): void => {
    const target = normalise(rawTarget)
    if (target === undefined) {
      add('OCB-VALIDATE-HARDLINK', `hard link ${quote(path)} leads out of the root: ${quote(rawTarget)}`)
    } else if (names.get(target) === 'directory') {
      add('OCB-VALIDATE-HARDLINK', `hard link ${quote(path)} is to a directory: ${quote(rawTarget)}`)
    } else if (!names.has(target)) pendingLinks.push({ path, target })
  }

  const addWhiteout = (entry: TarEntry, path: string): void => {
    const fault = checkWhiteoutName(path, add)
    if (entry.type !== 'file' || entry.size !== 0) {
      add('OCB-VALIDATE-WHITEOUT-CONTENT', `whiteout ${quote(path)} is not an empty file`)
    }
    if (markers.has(path)) add('OCB-VALIDATE-DUPLICATE-ENTRY', `${quote(path)} is in the layer twice`)
    markers.add(path)
    const hidden = fault ? undefined : hiddenBy(path)
    if (hidden !== undefined) whiteouts.add(hidden)
  }

  return {
    entry(entry) {
      checkRawName(entry, add)
      const path = normalise(entry.name)
      if (path === undefined) return
      checkHeader(entry, path, add)
      checkParent(path)
      if (baseName(path).startsWith(whiteoutPrefix)) {
        addWhiteout(entry, path)
        return
      }
      if (`/${path}`.includes(`/${whiteoutPrefix}`)) {
        add('OCB-VALIDATE-WHITEOUT', `${quote(path)} lies below a whiteout; names may not begin with .wh.`)
      }
      if (names.has(path)) add('OCB-VALIDATE-DUPLICATE-ENTRY', `${quote(path)} is in the layer twice`)
      if (entry.type === 'hardlink' && entry.target) checkHardlink(path, entry.target)
      names.set(path, entry.type)
    },
    finish() {
      for (const [parent, child] of missingParents) {
        if (names.has(parent))
          add('OCB-VALIDATE-PARENT-ORDER', `${quote(parent)} comes after ${quote(child)}`)
        else
          add(
            'OCB-VALIDATE-PARENT',
            `${quote(parent)}, the parent of ${quote(child)}, has no entry in the layer`,
          )
      }
      if (whiteouts.size > 0) checkBeside(names, whiteouts, add)
      const danglingLinks = pendingLinks.filter(({ path, target }) => {
        if (!names.has(target)) return true
        add('OCB-VALIDATE-HARDLINK', `hard link ${quote(path)} comes before its target ${quote(target)}`)
        return false
      })
      return { names, danglingLinks }
    },
  }
}

function checkRawName(entry: TarEntry, add: (code: ValidationCode, message: string) => void): void {
  const { name } = entry
  if (name === '') add('OCB-VALIDATE-NAME', 'an entry has an empty name')
  else if (/(?:^|\/)\.\.(?:\/|$)/.test(name)) add('OCB-VALIDATE-NAME', `${quote(name)} has a part ".."`)
  if (entry.undecodable) add('OCB-VALIDATE-NAME-ENCODING', `${quote(name)} is not UTF-8`)
  if (name.startsWith('/'))
    add('OCB-VALIDATE-NAME-ABSOLUTE', `${quote(name)} is absolute; wanted a relative name`)
  // `./` by itself is the root, which has no other name.
  else if (name !== './' && name !== '.' && /(?:^|\/)\.(?:\/|$)|\/\//.test(name)) {
    add('OCB-VALIDATE-NAME-DOT', `${quote(name)} has needless parts; wanted ${quote(normalise(name) ?? '')}`)
  }
}

function checkHeader(
  { type, size, target }: TarEntry,
  path: string,
  add: (code: ValidationCode, message: string) => void,
): void {
  if (type === 'unknown') add('OCB-VALIDATE-ENTRY-TYPE', `${quote(path)} has a type that layers do not have`)
  else if (type !== 'file' && size !== 0) {
    add(
      'OCB-VALIDATE-ENTRY-SIZE',
      `${type} ${quote(path)} says that ${size} bytes follow; readers disagree whether`,
    )
  }
  if ((type === 'symlink' || type === 'hardlink') && !target) {
    add('OCB-VALIDATE-LINK-TARGET', `${type} ${quote(path)} has no target`)
  }
}

/** Whether the name is unsound. */
function checkWhiteoutName(path: string, add: (code: ValidationCode, message: string) => void): boolean {
  const name = baseName(path)
  if (name === opaqueName) return false
  if (name.startsWith('.wh..wh.')) {
    add('OCB-VALIDATE-WHITEOUT-RESERVED', `${quote(path)} is bookkeeping of AUFS; readers skip it`)
    return true
  }
  const hidden = name.slice(whiteoutPrefix.length)
  if (hidden !== '' && hidden !== '.' && hidden !== '..') return false
  add('OCB-VALIDATE-WHITEOUT', `${quote(path)} hides no name; wanted .wh.NAME or ${opaqueName}`)
  return true
}

/** A whiteout and an entry at or below what it hides: the whiteout is for lower layers only, but readers differ. */
function checkBeside(
  names: ReadonlyMap<string, TarEntryType>,
  whiteouts: ReadonlySet<string>,
  add: (code: ValidationCode, message: string) => void,
): void {
  for (const name of names.keys()) {
    for (let path = name; path !== ''; path = parentOf(path)) {
      if (!whiteouts.has(path)) continue
      add('OCB-VALIDATE-WHITEOUT-BESIDE', `${quote(name)} stands beside a whiteout of ${quote(path)}`)
      break
    }
  }
}

function hiddenBy(path: string): string | undefined {
  const name = baseName(path)
  // An opaque marker beside entries of its directory is what it is for.
  if (name === opaqueName) return undefined
  return path.slice(0, path.length - name.length) + name.slice(whiteoutPrefix.length)
}

/** The path without `./`, doubled and trailing slashes; undefined where it has no meaning below the root. */
function normalise(name: string): string | undefined {
  if (name === '') return undefined
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  return parts.includes('..') ? undefined : parts.join('/')
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
