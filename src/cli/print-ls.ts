/** The files of an image as lines, or as JSON. */

import { OciBuildError } from '../errors.ts'
import { listFiles, type FileDescription } from '../inspect/list-files.ts'
import { isDigest, type Digest } from '../spec/digest.ts'
import { parsePlatform } from '../spec/platform.ts'
import type { CliContext } from './context.ts'
import { formatTable } from './format.ts'
import { hostImagePlatform, readImageArgument, withImage } from './image-argument.ts'
import { createPaint, type Paint } from './paint.ts'
import { printable } from './printable.ts'

export interface LsRequest {
  readonly platform?: string | undefined
  readonly layer?: string | undefined
  readonly long?: boolean | undefined
  readonly json?: boolean | undefined
}

export async function printFiles(
  ref: string | undefined,
  path: string | undefined,
  request: LsRequest,
  context: CliContext,
): Promise<void> {
  const platform = request.platform === undefined ? undefined : parsePlatform(request.platform)
  const layer = request.layer === undefined ? undefined : parseLayer(request.layer)
  const reference = readImageArgument(ref, context.environment)
  await withImage(reference, context, async ({ store, root, text, namesDir }) => {
    const list = await listFiles(store, root, {
      platform,
      preferred: hostImagePlatform(context.environment),
      layer,
      path,
      cacheDir: namesDir,
      signal: context.signal,
    })
    if (request.json === true) {
      const { schemaVersion, ...rest } = list
      context.stdout(`${JSON.stringify({ schemaVersion, reference: text, ...rest }, null, 2)}\n`)
    } else context.stdout(formatFiles(list.entries, request.long === true, createPaint(context.stdoutColors)))
  })
}

/** One line an entry, each with its newline. */
export function formatFiles(entries: readonly FileDescription[], long: boolean, paint: Paint): string {
  if (!long) return entries.map((entry) => `${formatName(entry, paint)}\n`).join('')
  const rows = entries.map((entry) => {
    const { mode, uid, gid, size, mtime, layer } = entry
    const bytes = entry.type === 'file' ? String(size) : '-'
    return [
      formatMode(entry.type, Number.parseInt(mode, 8)),
      `${uid}:${gid}`,
      bytes,
      formatTime(mtime),
      `#${layer}`,
      formatFull(entry, paint),
    ]
  })
  return formatTable(rows, { right: [2] })
    .map((line) => `${line}\n`)
    .join('')
}

function formatName(entry: FileDescription, paint: Paint): string {
  const path = printable(entry.path)
  switch (entry.type) {
    case 'directory':
      return paint('blue', path === '/' ? path : `${path}/`)
    case 'whiteout':
      return `${path}  ${paint('yellow', 'removed')}`
    case 'opaque':
      return `${path === '/' ? path : `${path}/`}  ${paint('yellow', 'opaque')}`
    default:
      return path
  }
}

function formatFull(entry: FileDescription, paint: Paint): string {
  const name = formatName(entry, paint)
  if (entry.target === null) return name
  return `${name} ${entry.type === 'hardlink' ? '=' : '->'} ${printable(entry.target)}`
}

const letters: Readonly<Record<FileDescription['type'], string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  hardlink: 'h',
  character: 'c',
  block: 'b',
  fifo: 'p',
  whiteout: 'w',
  opaque: 'o',
}

/** As ls writes it: `drwxr-xr-x`, with s, S, t and T for setuid, setgid and sticky. */
function formatMode(type: FileDescription['type'], mode: number): string {
  const triple = (shift: number, special: boolean, letter: string): string => {
    const bits = mode >> shift
    const executable = (bits & 1) !== 0
    const last = special ? (executable ? letter : letter.toUpperCase()) : executable ? 'x' : '-'
    return `${(bits & 4) === 0 ? '-' : 'r'}${(bits & 2) === 0 ? '-' : 'w'}${last}`
  }
  const owner = triple(6, (mode & 0o4000) !== 0, 's')
  const group = triple(3, (mode & 0o2000) !== 0, 's')
  const others = triple(0, (mode & 0o1000) !== 0, 't')
  return `${letters[type]}${owner}${group}${others}`
}

/** `2024-01-02 03:04:05`, UTC, so that the same image gives the same lines everywhere. */
function formatTime(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().slice(0, 19).replace('T', ' ')
}

function parseLayer(text: string): number | Digest {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  if (isDigest(text)) return text
  throw new OciBuildError('OCB-USAGE-LAYER', {
    message: `--layer ${text} is neither a number nor a digest`,
    hint: 'give a number from 0, or sha256: and 64 hex digits',
  })
}
