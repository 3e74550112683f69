/** GNU tar as the judge of what we write. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'

export interface ListedEntry {
  /** As `ls -l` writes it: `-rw-r--r--`; a hard link begins with `h`. */
  readonly mode: string
  readonly uid: number
  readonly gid: number
  readonly size: number
  /** Seconds since the epoch. */
  readonly mtime: number
  /** As it stands in the archive, with the closing slash of a directory. */
  readonly name: string
  readonly target: string | undefined
}

/**
 * What `tar -tv` says of an archive. An archive that is cut (headers of huge files without their bytes) gives
 * what was read before its end; any other complaint throws.
 */
export function listTar(archive: Uint8Array, options: { readonly cut?: boolean } = {}): ListedEntry[] {
  const flags = [
    '--numeric-owner',
    '--full-time',
    '--utc',
    '--quoting-style=escape',
    '--warning=no-timestamp',
  ]
  const { stdout, stderr } = spawnSync('tar', ['-tvPf', '-', ...flags], {
    input: archive,
    maxBuffer: 1 << 28,
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  })
  const complaint = stderr.toString()
  if (complaint !== '' && options.cut !== true) throw new Error(`tar: ${complaint}`)
  const lines = stdout.toString().split('\n')
  return lines.filter((line) => line !== '').map(parseLine)
}

const pattern = /^(\S{10})\+? +(\d+)\/(\d+) +(\d+) (-?\d+-\d\d-\d\d \d\d:\d\d:\d\d) (.*)$/

function parseLine(line: string): ListedEntry {
  const [, mode = '', uid, gid, size, time = '', rest = ''] = pattern.exec(line) ?? []
  if (mode === '') throw new Error(`cannot read the line of tar: ${line}`)
  const [name = '', target] = rest.split(mode.startsWith('h') ? ' link to ' : ' -> ')
  return {
    mode,
    uid: Number(uid),
    gid: Number(gid),
    size: Number(size),
    mtime: Date.parse(`${time.replace(' ', 'T')}Z`) / 1000,
    name: unescape(name),
    target: target === undefined ? undefined : unescape(target),
  }
}

/** Undoes `--quoting-style=escape`, whose octal escapes are bytes. */
function unescape(text: string): string {
  const bytes: number[] = []
  const escapes: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13 }
  const source = Buffer.from(text, 'utf8').toString('latin1')
  for (const [part] of source.matchAll(/\\([0-7]{3})|\\(.)|[^]/g)) {
    if (/^\\[0-7]{3}$/.test(part)) bytes.push(Number.parseInt(part.slice(1), 8))
    else if (part.startsWith('\\')) bytes.push(escapes[part.slice(1)] ?? part.charCodeAt(1))
    else bytes.push(part.charCodeAt(0))
  }
  return Buffer.from(bytes).toString('utf8')
}

/** Extracts an archive into a folder, owners kept where this process may set them. */
export function extractTar(archive: Uint8Array, folder: string): void {
  mkdirSync(folder, { recursive: true })
  const owner = process.getuid?.() === 0 ? '--same-owner' : '--no-same-owner'
  execFileSync('tar', ['-xpf', '-', '-C', folder, '--numeric-owner', owner], {
    input: archive,
    stdio: 'pipe',
  })
}
