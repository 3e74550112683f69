/** What every handler needs: the options and the content; and the checks that they share. */

import { Refusal } from './exchange.ts'
import { isDigest } from './grammar.ts'
import type { RegistryOptions } from './options.ts'
import type { RegistryState, Repository } from './state.ts'

export interface Service {
  readonly options: RegistryOptions
  readonly state: RegistryState
  /** Origin of the server that takes uploads, where that is another one. */
  readonly uploadOrigin: string | undefined
  /** Origin of the server that hands out blobs, where that is another one. */
  readonly storageOrigin: string | undefined
}

export function requireDigest(text: string | null): string {
  if (text === null || !isDigest(text))
    throw new Refusal(400, 'DIGEST_INVALID', `not a digest: ${text ?? '(none)'}`)
  return text
}

export function requireRepository({ state }: Service, name: string): Repository {
  const repository = state.repositories.get(name)
  if (!repository) throw new Refusal(404, 'NAME_UNKNOWN', `repository ${name} is not known`)
  return repository
}

export function methodNotAllowed(method: string): Refusal {
  return new Refusal(405, 'UNSUPPORTED', `${method} is not supported here`)
}

/** Docker-Content-Digest, where the registry sends it. */
export function digestHeader({ options }: Service, digest: string): Record<string, string> {
  return options.digestHeader === false ? {} : { 'Docker-Content-Digest': digest }
}

/** One page of `items` after `last`, and the `Link` to the next. `n`: as asked; the registry's own page may be shorter. */
export function pageOf<T>(
  { options }: Service,
  url: URL,
  items: readonly T[],
  start: number,
  lastOf: (item: T) => string,
): { readonly page: readonly T[]; readonly link: Record<string, string> } {
  const asked = url.searchParams.get('n')
  if (asked !== null && !/^\d+$/.test(asked))
    throw new Refusal(400, 'UNSUPPORTED', `n is not a number: ${asked}`)
  const limit = Math.min(asked === null ? Infinity : Number(asked), options.pageSize ?? 100)
  const page = items.slice(start, start + limit)
  const last = page.at(-1)
  if (last === undefined || start + limit >= items.length) return { page, link: {} }
  const next = new URL(url)
  next.searchParams.set('n', String(limit))
  next.searchParams.set('last', lastOf(last))
  const target = options.linkUrl === 'absolute' ? next.href : `${next.pathname}${next.search}`
  return { page, link: { Link: `<${target}>; rel="next"` } }
}
