/** The digests of host files, remembered by (path, size, mtime, ctime, inode). */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../content/atomic-file.ts'
import { sha256 } from '../content/hash.ts'
import type { FileSource } from '../rootfs/file-source.ts'

type HostSource = Extract<FileSource, { readonly kind: 'host' }>

/** First line of the file; another one is another format, and is not read. */
const format = 'ocibuild file digests 1'
/**
 * A file written within this time of being hashed could be written again without its times moving (coarse
 * file-system clocks), so it is not remembered.
 */
const racyMs = 2000
/** Beyond this many files that the run did not ask for, the old ones are forgotten. */
const maxUnused = 200_000

export interface FileDigests {
  /** The sha256 in hex, when the file is the one that was hashed. */
  lookup(source: HostSource): string | undefined
  remember(source: HostSource, hex: string): void
  /** Writes what is new, atomically; the last of several processes wins, the others' files are hashed again. */
  save(): void
}

/** Opens the memory of one project (`root` is an absolute host folder). A damaged one is taken as empty. */
export function openFileDigests(filesDir: string, root: string, wallClockMs: () => number): FileDigests {
  const path = join(filesDir, `${sha256(root).slice('sha256:'.length, 32)}.txt`)
  // One line a file: path, TAB, stat, TAB, hex. Kept as text: most lines are only compared.
  const known = readLines(path)
  const used = new Map<string, string>()
  let changed = false
  return {
    lookup(source) {
      const line = known.get(source.path)
      if (line === undefined || !line.startsWith(statKey(source))) return undefined
      used.set(source.path, line)
      return line.slice(-64)
    },
    remember(source, hex) {
      if (source.temporary || source.path.includes('\n') || source.path.includes('\t')) return
      const newest = Math.max(source.mtimeMs, source.ctimeMs)
      if (newest > wallClockMs() - racyMs) return
      const line = statKey(source) + hex
      if (known.get(source.path) !== line) changed = true
      used.set(source.path, line)
    },
    save() {
      if (!changed) return
      const lines = [format]
      for (const [file, line] of used) lines.push(`${file}\t${line}`)
      const unused = Array.from(known).filter(([file]) => !used.has(file))
      if (unused.length <= maxUnused) for (const [file, line] of unused) lines.push(`${file}\t${line}`)
      writeFileAtomic(path, `${lines.join('\n')}\n`)
    },
  }
}

function statKey(source: HostSource): string {
  return `${source.size} ${source.mtimeMs} ${source.ctimeMs} ${source.ino}\t`
}

function readLines(path: string): ReadonlyMap<string, string> {
  const known = new Map<string, string>()
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return known
  }
  if (!text.startsWith(`${format}\n`)) return known
  let start = format.length + 1
  for (let end = text.indexOf('\n', start); end >= 0; end = text.indexOf('\n', start)) {
    const tab = text.indexOf('\t', start)
    // A cut line has no digest of full length; forget it.
    if (tab > start && tab < end && /\t[0-9a-f]{64}$/.test(text.slice(end - 65, end))) {
      known.set(text.slice(start, tab), text.slice(tab + 1, end))
    }
    start = end + 1
  }
  return known
}
