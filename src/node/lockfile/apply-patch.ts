/** Patches of pnpm's `patchedDependencies`: git's unified diffs, applied whole or not at all. */

import { OciBuildError } from '../../errors.ts'

export interface FilePatch {
  /** Undefined for a file that is made. */
  readonly from: string | undefined
  /** Undefined for a file that is deleted. */
  readonly to: string | undefined
  /** Undefined: as it was. */
  readonly mode: number | undefined
  readonly hunks: readonly Hunk[]
}

interface Hunk {
  /** 1-based, in the file as it was. */
  readonly start: number
  readonly lines: readonly string[]
  /** Whether the last line before and after ends without a newline. */
  readonly openBefore: boolean
  readonly openAfter: boolean
}

/** As far from its place as this many lines a hunk is looked for. */
const maxOffset = 20

/** `what` names the patch. Throws `OCB-NODE-PATCH`. */
export function parsePatch(text: string, what: string): readonly FilePatch[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  const patches: FilePatch[] = []
  for (let at = 0; at < lines.length;) {
    if (!/^diff --git |^--- /.test(lines[at] ?? '')) {
      at += 1
      continue
    }
    const head: Record<string, string> = {}
    const names = /^diff --git a\/(.+) b\/(.+)$/.exec(lines[at] ?? '')
    if (names !== null) at += 1
    for (; at < lines.length && !/^(?:@@ |diff --git )/.test(lines[at] ?? ''); at += 1) {
      const [, key, value = ''] =
        /^(---|\+\+\+|new file mode|deleted file mode|new mode|rename from|rename to|GIT binary patch)(?: (.*))?$/.exec(
          lines[at] ?? '',
        ) ?? []
      if (key === 'GIT binary patch') throw wrongPatch(what, 'it changes a binary file')
      if (key !== undefined) head[key] = value
    }
    const hunks: Hunk[] = []
    while (lines[at]?.startsWith('@@ ') === true) {
      const read = readHunk(lines, at, what)
      hunks.push(read.hunk)
      at = read.next
    }
    patches.push(filePatch(head, names?.[1], names?.[2], hunks))
  }
  if (patches.length === 0) throw wrongPatch(what, 'it holds no diff')
  return patches
}

/** The file with its hunks applied. Throws `OCB-NODE-PATCH`. */
export function applyHunks(text: string, { hunks, from, to }: FilePatch, what: string): string {
  // Nothing is what a new file was before.
  const lines = text === '' ? [] : text.split('\n')
  let ended = lines.at(-1) === ''
  if (ended) lines.pop()
  let shift = 0
  for (const [index, hunk] of hunks.entries()) {
    const before = hunk.lines.filter((line) => !line.startsWith('+')).map((line) => line.slice(1))
    const after = hunk.lines.filter((line) => !line.startsWith('-')).map((line) => line.slice(1))
    // A hunk of nothing but new lines begins after the line that it names.
    const wanted = hunk.start - (before.length === 0 ? 0 : 1) + shift
    const at = findPlace(lines, before, wanted)
    if (at === undefined) {
      throw wrongPatch(
        what,
        `hunk ${index + 1} of ${from ?? to ?? ''} (line ${hunk.start}) does not fit the file`,
      )
    }
    lines.splice(at, before.length, ...after)
    shift += after.length - before.length + (at - wanted)
    if (at + after.length >= lines.length && after.length + before.length > 0) ended = !hunk.openAfter
  }
  if (lines.length === 0) return ''
  return lines.join('\n') + (ended ? '\n' : '')
}

function findPlace(lines: readonly string[], before: readonly string[], wanted: number): number | undefined {
  const fits = (at: number): boolean =>
    at >= 0 &&
    at + before.length <= lines.length &&
    before.every((line, index) => sameLine(lines[at + index], line))
  for (let offset = 0; offset <= maxOffset; offset += 1) {
    if (fits(wanted - offset)) return wanted - offset
    if (fits(wanted + offset)) return wanted + offset
  }
  return undefined
}

/** White space at the end is no difference: editors take it away. */
function sameLine(one: string | undefined, other: string): boolean {
  return one !== undefined && (one === other || one.trimEnd() === other.trimEnd())
}

function readHunk(
  lines: readonly string[],
  at: number,
  what: string,
): { readonly hunk: Hunk; readonly next: number } {
  const [, start, oldCount = '1', newCount = '1'] =
    /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(lines[at] ?? '') ?? []
  if (start === undefined) throw wrongPatch(what, `line ${at + 1} is no head of a hunk`)
  let [before, after] = [Number(oldCount), Number(newCount)]
  const own: string[] = []
  let [openBefore, openAfter] = [false, false]
  let next = at + 1
  for (; before > 0 || after > 0 || lines[next]?.startsWith('\\') === true; next += 1) {
    // Editors take away the space of an empty line.
    const line = lines[next] === '' ? ' ' : lines[next]
    const mark = line?.[0]
    if (line === undefined || mark === undefined || !' +-\\'.includes(mark)) {
      throw wrongPatch(what, `the hunk at line ${at + 1} ends too early`)
    }
    if (mark === '\\') {
      const last = own.at(-1)?.[0]
      openBefore ||= last !== '+'
      openAfter ||= last !== '-'
      continue
    }
    if (mark !== '+') before -= 1
    if (mark !== '-') after -= 1
    own.push(line)
  }
  return { hunk: { start: Number(start), lines: own, openBefore, openAfter }, next }
}

function filePatch(
  head: Readonly<Record<string, string>>,
  from: string | undefined,
  to: string | undefined,
  hunks: readonly Hunk[],
): FilePatch {
  const named = (key: '---' | '+++'): string | undefined => {
    const path = head[key]?.replace(/\t.*$/, '')
    return path === undefined || path === '/dev/null' ? undefined : path.replace(/^[ab]\//, '')
  }
  const isNew = head['new file mode'] !== undefined || head['---'] === '/dev/null'
  const isGone = head['deleted file mode'] !== undefined || head['+++'] === '/dev/null'
  const mode = head['new file mode'] ?? head['new mode']
  return {
    from: isNew ? undefined : (head['rename from'] ?? named('---') ?? from),
    to: isGone ? undefined : (head['rename to'] ?? named('+++') ?? to),
    mode: mode === undefined ? undefined : Number.parseInt(mode.slice(-3), 8),
    hunks,
  }
}

export function wrongPatch(what: string, why: string): OciBuildError {
  return new OciBuildError('OCB-NODE-PATCH', {
    message: `cannot apply ${what}: ${why}`,
    hint: 'make the patch again with pnpm patch, for the version that the lockfile names',
  })
}
