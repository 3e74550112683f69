/** One checked entry with its defaults filled in. */

import { resolve } from 'node:path'
import { parseFixedMode, parseMode, parseMtime } from './grammar.ts'
import { parseSource } from './parse-source.ts'
import type { EntrySpec } from './resolved-spec.ts'
import { present } from './schema-tools.ts'
import type { CopyEntry, EntryWords, List } from './spec-types.ts'

/** `root` is absolute; `at` is where the entry stands in the spec. */
export function resolveEntry(words: EntryWords, at: string, root: string): EntrySpec {
  // Before copy: an append may have a field of that name.
  if ('append' in words) {
    const content = words.content === undefined ? undefined : new TextEncoder().encode(words.content)
    return { verb: 'append', at, append: words.append, content, copy: words.copy, root }
  }
  if ('copy' in words) return resolveCopy(words, at, root)
  if ('file' in words) {
    const { file, content, encoding } = words
    const bytes = new Uint8Array(Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8'))
    return { verb: 'file', at, file, content: bytes, mode: parseFixedMode(words.mode), owner: owner(words) }
  }
  if ('directory' in words) {
    const { directory, mode } = words
    return { verb: 'directory', at, directory, mode: parseFixedMode(mode), owner: owner(words) }
  }
  if ('symlink' in words) {
    return { verb: 'symlink', at, symlink: words.symlink, target: words.target, owner: owner(words) }
  }
  if ('hardlink' in words) return { verb: 'hardlink', at, hardlink: words.hardlink, target: words.target }
  if ('remove' in words) return { verb: 'remove', at, remove: words.remove }
  if ('opaque' in words) return { verb: 'opaque', at, opaque: words.opaque }
  if ('archive' in words) {
    const { archive, to, strip = 0 } = words
    return { verb: 'archive', at, archive, to, strip, ...filters(words), owner: owner(words), root }
  }
  return {
    verb: 'download',
    at,
    download: words.download,
    sha256: words.sha256.replace(/^sha256:/, '').toLowerCase(),
    to: words.to,
    mode: parseFixedMode(words.mode),
    owner: owner(words),
    extract: words.extract ?? false,
    strip: words.strip ?? 0,
  }
}

function resolveCopy(words: CopyEntry, at: string, root: string): EntrySpec {
  const { copy, to, from, follow = false, hardLinks = 'copy' } = words
  return {
    verb: 'copy',
    at,
    copy: typeof copy === 'string' ? [copy] : present(copy),
    list: typeof copy !== 'string',
    to,
    from: from === undefined ? undefined : parseSource(from),
    ...filters(words),
    mode: parseMode(words.mode),
    dirMode: parseMode(words.dirMode),
    owner: owner(words),
    mtime: parseMtime(words.mtime),
    root: words.root === undefined ? root : resolve(root, words.root),
    follow,
    hardLinks,
  }
}

function filters(words: {
  readonly include?: List<string> | undefined
  readonly exclude?: List<string> | undefined
}): { readonly include: readonly string[] | undefined; readonly exclude: readonly string[] } {
  const include = words.include === undefined ? undefined : present(words.include)
  return { include, exclude: present(words.exclude) }
}

function owner(words: { readonly owner?: string | number | undefined }): string | undefined {
  return words.owner === undefined ? undefined : String(words.owner)
}
