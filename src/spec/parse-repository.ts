/** Names in registries as text: `[HOST/]REPOSITORY[:TAG][@DIGEST]`, with Docker's defaults for what is left out. */

import { isDigest } from './digest.ts'
import type { RegistryReference } from './reference.ts'

/** distribution-spec v1.1.1, Pulling manifests. */
const repositoryGrammar =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const tagGrammar = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
const hostGrammar =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::\d{1,5})?$/

export type ParsedRepository =
  | {
      readonly reference: RegistryReference
      /** False where the host is the default one. */
      readonly hostWritten: boolean
    }
  | { readonly problem: string; readonly hint?: string | undefined }

/** Whether text is a tag (distribution-spec v1.1.1, Pulling manifests). */
export function isTag(text: string): boolean {
  return tagGrammar.test(text)
}

/** Parses a name; `node:22` is `docker.io/library/node:22`. What is wrong comes back in words, never thrown. */
export function parseRepositoryReference(text: string): ParsedRepository {
  const at = text.indexOf('@')
  const digest = at === -1 ? undefined : text.slice(at + 1)
  if (digest !== undefined && !isDigest(digest)) {
    return { problem: `"${digest}" is not a digest; wanted sha256: and 64 hex digits, or sha512: and 128` }
  }
  const named = at === -1 ? text : text.slice(0, at)
  // A colon before the last slash belongs to a port.
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1)
  const tag = colon === -1 ? undefined : named.slice(colon + 1)
  if (tag !== undefined && !isTag(tag)) {
    return {
      problem: `"${tag}" is not a tag; wanted at most 128 letters, digits, dots, dashes and underscores, not beginning with a dot or dash`,
    }
  }
  const { host, path } = splitHost(colon === -1 ? named : named.slice(0, colon))
  if (host !== undefined && !hostGrammar.test(host)) return { problem: `"${host}" is not a host` }
  const canonicalHost = host === undefined || host === 'index.docker.io' ? 'docker.io' : host
  const repository = canonicalHost === 'docker.io' && !path.includes('/') ? `library/${path}` : path
  if (canonicalHost.length + 1 + repository.length > 255) {
    return { problem: 'the name is longer than 255 characters' }
  }
  if (!repositoryGrammar.test(repository)) {
    const lower = path.toLowerCase()
    return {
      problem: `"${path}" is not a repository; wanted lower-case letters and digits, with . _ __ or - between them, in parts separated by /`,
      hint: lower !== path && repositoryGrammar.test(lower) ? `write it in lower case: ${lower}` : undefined,
    }
  }
  return {
    hostWritten: host !== undefined,
    reference: {
      transport: 'docker',
      host: canonicalHost,
      repository,
      ...(tag !== undefined ? { tag } : digest === undefined ? { tag: 'latest' } : {}),
      ...(digest === undefined ? {} : { digest }),
    },
  }
}

// The first part is a host where it could not be a part of a name on the default host: Docker's rule.
function splitHost(name: string): { readonly host: string | undefined; readonly path: string } {
  const slash = name.indexOf('/')
  const first = slash === -1 ? '' : name.slice(0, slash)
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase()
  return isHost ? { host: first, path: name.slice(slash + 1) } : { host: undefined, path: name }
}
