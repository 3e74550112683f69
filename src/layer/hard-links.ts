/** Hard links: their target is a file of the same layer, and comes before them in the tar. */

import { OciBuildError } from '../errors.ts'
import { compareBytes } from '../spec/json.ts'
import type { Draft } from './draft.ts'
import { sortKey } from './sort-entries.ts'

/**
 * Turns each link at its file, whatever links lie between, and makes the first of a group in tar order the file,
 * in place. Returns the draft. Throws `OCB-HARDLINK-TARGET`.
 */
export function settleHardLinks(draft: Draft): Draft {
  const groups = new Map<string, string[]>()
  for (const [path, entry] of draft) {
    if (entry.type !== 'hardlink') continue
    const file = finalTarget(draft, path)
    const group = groups.get(file)
    if (group) group.push(path)
    else groups.set(file, [path])
  }
  for (const [file, links] of groups) {
    const content = draft.get(file)
    if (content === undefined) continue
    const [first = file, ...others] = [file, ...links].toSorted((a, b) =>
      compareBytes(sortKey(a), sortKey(b)),
    )
    draft.set(first, content)
    for (const other of others)
      draft.set(other, { type: 'hardlink', origin: draft.get(other)?.origin, target: first })
  }
  return draft
}

function finalTarget(draft: Draft, link: string): string {
  const seen = new Set<string>()
  for (let path = link; !seen.has(path);) {
    seen.add(path)
    const entry = draft.get(path)
    if (entry?.type === 'file') return path
    if (entry?.type !== 'hardlink') break
    path = entry.target
  }
  const entry = draft.get(link)
  const target = entry?.type === 'hardlink' ? entry.target : link
  throw new OciBuildError('OCB-HARDLINK-TARGET', {
    message: `${entry?.origin ?? 'the layer'} makes /${link} a hard link to /${target}, which is no file of the same layer`,
    hint: 'put the target into the same layer, or use a symlink',
  })
}
