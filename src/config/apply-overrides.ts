/** What the command line puts over names, tags, platforms and outputs. */

import { OciBuildError } from '../errors.ts'
import { parsePlatform, type Platform } from '../spec/platform.ts'
import { parseReference } from '../spec/parse-reference.ts'
import type { Reference } from '../spec/reference.ts'
import { isRepositoryName, tagPattern } from './grammar.ts'
import type { SpecOverrides } from './overrides.ts'

export interface NameAndTags {
  readonly name: string | undefined
  readonly tags: readonly string[]
  /** Whole references of other names: pushed beside `name`. */
  readonly others: readonly string[]
}

/**
 * Reads `-t` (one or more a line): with a `/` or `:` a whole reference, whose tag is `latest` unless written.
 * Undefined when there are none. Throws `OCB-USAGE-TAG`.
 */
export function overrideTags(tags: readonly string[] | undefined): NameAndTags | undefined {
  const words = (tags ?? []).flatMap((line) => line.split(/[\r\n]+/)).map((word) => word.trim())
  const wanted = [...new Set(words.filter((word) => word !== ''))]
  if (wanted.length === 0) return undefined
  let name: string | undefined
  const found: string[] = []
  const others: string[] = []
  for (const word of wanted) {
    const whole = /[/:]/.test(word) ? splitReference(word) : { name: undefined, tag: word }
    if (!tagPattern.test(whole.tag) || (whole.name !== undefined && !isRepositoryName(whole.name))) {
      throw new OciBuildError('OCB-USAGE-TAG', {
        message: `--tag ${JSON.stringify(word)} is neither a tag nor NAME:TAG`,
        hint: 'write it like 1.4.0 or registry.example.com/team/app:1.4.0',
      })
    }
    name ??= whole.name
    if (whole.name !== undefined && whole.name !== name) others.push(`docker://${whole.name}:${whole.tag}`)
    else if (!found.includes(whole.tag)) found.push(whole.tag)
  }
  return { name, tags: found, others }
}

function splitReference(word: string): { readonly name: string; readonly tag: string } {
  const colon = word.lastIndexOf(':')
  if (colon <= word.lastIndexOf('/')) return { name: word, tag: 'latest' }
  return { name: word.slice(0, colon), tag: word.slice(colon + 1) }
}

/** `--platform`, each a list with commas; undefined when there are none. Throws `OCB-SPEC-PLATFORM`. */
export function overridePlatforms(platforms: readonly string[] | undefined): readonly Platform[] | undefined {
  const words = (platforms ?? []).flatMap((list) => list.split(',')).map((word) => word.trim())
  const wanted = words.filter((word) => word !== '').map((word) => parsePlatform(word))
  for (const platform of wanted) {
    if (platform.os !== 'windows') continue
    throw new OciBuildError('OCB-SPEC-PLATFORM', {
      message: `--platform windows/${platform.architecture}: windows images cannot be built yet`,
      hint: 'build for linux',
    })
  }
  return wanted.length === 0 ? undefined : wanted
}

/** `-o` and `--push`; undefined when neither was given. Throws `OCB-SPEC-REFERENCE`. */
export function overrideOutputs(overrides: SpecOverrides): readonly Reference[] | undefined {
  const words = [...new Set([...(overrides.outputs ?? []), ...(overrides.push ? ['registry'] : [])])]
  return words.length === 0 ? undefined : words.map((word) => parseReference(word, 'out'))
}
