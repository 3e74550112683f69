/** Why a layer would be built anew, in a line or a few. */

import type { ComparedEntryView, LayerWhyView } from '../build-types.ts'
import type { Paint } from './paint.ts'
import { printable } from './printable.ts'

export function formatWhy(why: LayerWhyView, paint: Paint): string[] {
  const { status, against, compression, first } = why
  switch (status) {
    case 'new':
      return [`${paint('green', 'new')}: no earlier build of it is known`]
    case 'unchanged':
      return [paint('dim', `as in ${against}`)]
    case 'rewritten':
      return [
        compression === undefined
          ? `${paint('yellow', 'rewritten')}: it holds what ${against} held, written by another encoder or format`
          : `${paint('yellow', 'rewritten')}: it holds what ${against} held, as ${compression.after} in place of ${compression.before}`,
      ]
    case 'changed':
      return [`${paint('yellow', 'changed')} since ${against}: ${formatCounts(why)}`, ...formatFirst(first)]
  }
}

function formatCounts({ added, removed, changed }: LayerWhyView): string {
  const counts = [
    [changed, 'changed'],
    [added, 'added'],
    [removed, 'removed'],
  ] as const
  const parts = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`)
  return parts.join(', ')
}

function formatFirst(first: LayerWhyView['first']): string[] {
  if (first === null) return []
  const { path, change, aspects, before, after } = first
  const origin = after?.origin ?? before?.origin
  const placed = origin === undefined ? '' : ` by ${origin}`
  const lines = [`first ${change}: ${printable(path)}${placed}`]
  if (before === null || after === null) {
    const digest = (after ?? before)?.digest
    return digest === undefined ? lines : [...lines, `  ${digest}`]
  }
  for (const aspect of aspects) {
    const [old, now] = [shown(before, aspect), shown(after, aspect)]
    lines.push(`  ${aspect.padEnd(7)} ${old} → ${now}`)
  }
  // Moved from one entry of the spec to another, which may be why.
  if (before.origin !== undefined && after.origin !== undefined && before.origin !== after.origin) {
    lines.push(`  placed  by ${before.origin} → by ${after.origin}`)
  }
  return lines
}

type Aspect = NonNullable<LayerWhyView['first']>['aspects'][number]

function shown(entry: ComparedEntryView, aspect: Aspect): string {
  switch (aspect) {
    case 'type':
      return entry.type
    case 'content':
      return entry.digest ?? 'none'
    case 'target':
      return printable(entry.target ?? 'none')
    case 'mode':
      return entry.mode
    case 'owner':
      return `${entry.uid}:${entry.gid}`
    case 'xattrs':
      return printable(entry.xattrs ?? 'none')
    case 'mtime':
      return formatTime(entry.mtime)
  }
}

/** A pushed image may hold times that no calendar has. */
function formatTime(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString().replace('.000Z', 'Z')
}
