/** Which names of a copied folder are taken: ignore files, then `exclude`, then `include`. */

import type { HiddenLog } from './hidden-log.ts'
import { allMatches, lastMatch, mayChangeBelow, type Matched, type Rule } from './rules.ts'

/** What is known of a directory when its names are judged. */
export interface FilterState {
  readonly ignored: Matched | undefined
  readonly excluded: Matched | undefined
  readonly included: Matched | undefined
  /** It is hidden itself, so what is hidden in it is no news. */
  readonly hidden: boolean
}

/** `skip` leaves out the whole tree; `through` takes only what is found in it, and the directory on the way to it. */
export interface DirectoryVerdict {
  readonly verdict: 'take' | 'through' | 'skip'
  readonly state: FilterState
}

export interface CopyFilter {
  /** Names its rules: what one filter takes, another with the same id takes too. */
  readonly id: string
  /** Told of what it hides. */
  readonly log: HiddenLog
  /** The state of the copied folder itself. */
  readonly top: FilterState
  /** `path` is relative to the copied folder, `state` that of its directory. */
  takes(path: string, state: FilterState): boolean
  enter(path: string, state: FilterState): DirectoryVerdict
}

export interface FilterRules {
  readonly ignore: readonly Rule[]
  /** Where the copied folder lies below the folder of the ignore file: '' or `dist/`. */
  readonly ignorePrefix: string
  readonly ignoredTop: Matched | undefined
  readonly exclude: readonly Rule[]
  readonly include: readonly Rule[] | undefined
}

/** A filter, or undefined when there is no pattern at all. */
export function createCopyFilter(rules: FilterRules, log: HiddenLog): CopyFilter | undefined {
  const { ignore, ignorePrefix, exclude, include } = rules
  if (ignore.length === 0 && exclude.length === 0 && include === undefined) return undefined

  const hiddenBy = (list: readonly Rule[], last: number): Rule | undefined => {
    const rule = list[last]
    return rule?.negated === false ? rule : undefined
  }
  return {
    id: idOf(rules),
    log,
    top: { ignored: rules.ignoredTop, excluded: undefined, included: undefined, hidden: false },
    takes(path, state) {
      const rule =
        hiddenBy(ignore, lastMatch(ignore, ignorePrefix + path, state.ignored)) ??
        hiddenBy(exclude, lastMatch(exclude, path, state.excluded))
      if (rule !== undefined) {
        if (!state.hidden) log.add(rule.label)
        return false
      }
      return (
        include === undefined || hiddenBy(include, lastMatch(include, path, state.included)) !== undefined
      )
    },
    enter(path, state) {
      const ignored = allMatches(ignore, ignorePrefix + path, state.ignored)
      const excluded = allMatches(exclude, path, state.excluded)
      const included = include === undefined ? undefined : allMatches(include, path, state.included)
      const lastIgnore = ignored.lastIndexOf(1)
      const lastExclude = excluded.lastIndexOf(1)
      const ignoring = hiddenBy(ignore, lastIgnore)
      const excluding = hiddenBy(exclude, lastExclude)
      const rule = ignoring ?? excluding
      if (rule !== undefined && !state.hidden) log.add(rule.label)

      const lastInclude = included?.lastIndexOf(1) ?? -1
      const wanted = include === undefined || hiddenBy(include, lastInclude) !== undefined
      const pruned =
        (ignoring !== undefined && !mayChangeBelow(ignore, lastIgnore, ignorePrefix + path)) ||
        (excluding !== undefined && !mayChangeBelow(exclude, lastExclude, path)) ||
        (!wanted && !mayChangeBelow(include, lastInclude, path))
      return {
        verdict: pruned ? 'skip' : rule === undefined && wanted ? 'take' : 'through',
        state: { ignored, excluded, included, hidden: rule !== undefined },
      }
    },
  }
}

function idOf({ ignore, ignorePrefix, ignoredTop, exclude, include }: FilterRules): string {
  const lists = [ignore, exclude, include].map((rules) =>
    rules?.map(({ label, negated, regex, fixed, depth }) => [label, negated, String(regex), fixed, depth]),
  )
  return JSON.stringify([lists, ignorePrefix, [...(ignoredTop ?? [])]])
}
