/** Lists that come in pages, each naming the next in a Link header (RFC 8288). */

import type { OciBuildError } from '../errors.ts'
import type { ExchangeResponse } from './http-exchange.ts'
import { redactUrl } from './redact-url.ts'
import { protocolError } from './registry-error.ts'
import type { Repository } from './repository.ts'

/** No list of a repository is longer than this many pages. */
const maxPages = 10_000

/** The responses of all pages; each body must be read or dropped. Throws `RegistryError`, `OCB-REGISTRY-PROTOCOL`. */
export async function* followPages(
  repository: Repository,
  first: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): AsyncGenerator<ExchangeResponse> {
  const seen = new Set<string>()
  let target: string | URL | undefined = first
  while (target !== undefined) {
    const response: ExchangeResponse = await repository.session.send({
      method: 'GET',
      target,
      scopes: repository.pull,
      headers,
      wanted: [200],
      signal,
    })
    seen.add(response.url.href)
    yield response
    target = nextPage(repository, response)
    if (target !== undefined && (seen.has(target.href) || seen.size >= maxPages)) throw endless(response)
  }
}

function nextPage(repository: Repository, response: ExchangeResponse): URL | undefined {
  const link = /<([^<>]*)>\s*;[^,<]*\brel\s*=\s*"?next"?/i.exec(response.header('link') ?? '')?.[1]
  return link === undefined ? undefined : repository.session.locate(link, response.url)
}

function endless(response: ExchangeResponse): OciBuildError {
  return protocolError('GET', redactUrl(response.url), response.status, 'its pages come to no end')
}
