/** The tags of a repository (distribution-spec v1.1.1, Listing Tags). */

import { isTag } from '../spec/parse-repository.ts'
import {
  decodeDocument,
  documentTooLarge,
  maxDocumentBytes,
  readObject,
  readStrings,
} from '../spec/read-value.ts'
import { tagsPath } from './api-paths.ts'
import { followPages } from './pages.ts'
import { readBody } from './read-body.ts'
import { redactUrl } from './redact-url.ts'
import { protocolError } from './registry-error.ts'
import type { Repository } from './repository.ts'

const pageSize = 1000

/**
 * Every tag once, in the registry's order, page after page. Throws `RegistryError` (404 where there is no such
 * repository), `OCB-REGISTRY-PROTOCOL` for a tag outside the grammar.
 */
export async function* listTags(
  repository: Repository,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const seen = new Set<string>()
  const first = tagsPath(repository.name, pageSize)
  for await (const response of followPages(repository, first, { accept: 'application/json' }, signal)) {
    const what = `tags of ${repository.title}`
    const bytes = await readBody(response.body, maxDocumentBytes)
    if (bytes === undefined) throw documentTooLarge(what, maxDocumentBytes + 1)
    // Registries write null for a repository whose last tag was deleted.
    const list = readObject(decodeDocument(bytes, what), what)['tags'] ?? []
    for (const tag of readStrings(list, `${what}.tags`)) {
      if (!isTag(tag)) {
        throw protocolError('GET', redactUrl(response.url), response.status, 'it lists a tag that is none')
      }
      if (seen.has(tag)) continue
      seen.add(tag)
      yield tag
    }
  }
}
