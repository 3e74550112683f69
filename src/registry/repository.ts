/** One repository of one host, with the rights that are asked for: what the parts of a registry store share. */

import { OciBuildError } from '../errors.ts'
import { isDigest } from '../spec/digest.ts'
import { isTag, parseRepositoryReference } from '../spec/parse-repository.ts'
import type { HostSession } from './host-session.ts'
import { repositoryScope, type Scope } from './scope.ts'

export interface Repository {
  readonly session: HostSession
  /** Without host; a mirror's prefix included. */
  readonly name: string
  /** For messages: `docker.io/library/node`. */
  readonly title: string
  /** The scopes of reading; those of writing where the store writes anyway, so that one token does. */
  readonly pull: readonly Scope[]
  readonly push: readonly Scope[]
  /** Of requests that read; less patience with mirrors, since the host itself comes after them. */
  readonly attempts?: number | undefined
}

export function createRepository(session: HostSession, name: string, access: 'pull' | 'push'): Repository {
  const push = [repositoryScope(name, 'pull', 'push')]
  return {
    session,
    name,
    title: `${session.host}/${name}`,
    pull: access === 'push' ? push : [repositoryScope(name, 'pull')],
    push,
  }
}

/** Throws `OCB-USAGE-REPOSITORY` for a host or a name outside the grammar. */
export function checkRepository(host: string, name: string): void {
  const parsed = parseRepositoryReference(`${host}/${name}`)
  if (!('problem' in parsed) && parsed.reference.host === host && parsed.reference.repository === name) return
  throw new OciBuildError('OCB-USAGE-REPOSITORY', {
    message: `"${`${host}/${name}`.slice(0, 300)}" is not a repository of a registry`,
    hint: 'problem' in parsed ? (parsed.hint ?? parsed.problem) : 'write HOST/NAME in lower case',
  })
}

/** Throws `OCB-USAGE-TAG` for what is neither tag nor digest. */
export function checkReference(reference: string): void {
  if (!isDigest(reference)) checkTag(reference)
}

/** Throws `OCB-USAGE-TAG`. */
export function checkTag(tag: string): void {
  if (isTag(tag)) return
  throw new OciBuildError('OCB-USAGE-TAG', {
    message: `"${tag.slice(0, 200)}" is not a tag; wanted at most 128 letters, digits, dots, dashes and underscores, not beginning with a dot or dash`,
    hint: 'change the tag',
  })
}
