/** References as text: what a user writes for `base`, `from`, outputs and every command (contract, section 2). */

import { OciBuildError } from '../errors.ts'
import { isDigest, type Digest } from './digest.ts'
import { parseRepositoryReference } from './parse-repository.ts'
import type { LayoutReference, Reference, RegistryReference } from './reference.ts'

/** Whether a reference is read from, or written to. */
export type ReferenceRole = 'in' | 'out'

const laterTransports = ['docker-daemon', 'podman', 'containerd', 'kind']
/** image-spec v1.1.1 annotations.md, org.opencontainers.image.ref.name: the grammar of what we write. */
const refName =
  /^[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*(?:\/[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*)*$/
const refCharacters = /^[^\s\u0000-\u001f\u007f]{1,512}$/

/**
 * Parses a reference. Names in registries come out fully qualified. Throws `OCB-SPEC-REFERENCE`.
 */
export function parseReference(text: string, role: ReferenceRole): Reference {
  if (text === '' || text.length > 4096 || text.includes('\0') || text !== text.trim()) {
    throw refuse(text, 'empty, longer than 4096 characters, or with white space around it')
  }
  if (text === 'scratch') {
    if (role === 'out') throw refuse(text, '"scratch" holds nothing and cannot be written')
    return { transport: 'scratch' }
  }
  if (text === 'registry' && role === 'out') return { transport: 'registry' }

  // `kind:5000/app` is a host with its port, `oci:2024/image` a folder.
  const scheme = /^(oci|oci-archive|docker-archive|[a-z][a-z0-9+.-]*(?=:(?!\d+\/))):/.exec(text)?.[1]
  const rest = text.slice((scheme?.length ?? 0) + 1)
  if (scheme === 'host') return parseHost(text, rest, role)
  if (scheme === 'oci' || scheme === 'oci-archive' || scheme === 'docker-archive') {
    return parseLayout(text, scheme, rest, role)
  }
  if (scheme !== undefined && laterTransports.includes(scheme)) {
    throw refuse(
      text,
      `${scheme}: comes in a later release`,
      'use oci-archive:FILE or docker-archive:FILE and load the file into the engine',
    )
  }
  if (scheme === 'docker') {
    if (!rest.startsWith('//')) throw refuse(text, 'docker: is followed by //', `write docker://${rest}`)
    return parseRepository(text, rest.slice(2), role)
  }
  if (rest.startsWith('//') && scheme !== undefined) {
    throw refuse(text, `${scheme}:// is no transport`, `leave ${scheme}:// out`)
  }
  if (looksLikePath(text)) {
    if (role === 'in') return parseLayout(text, 'oci', text, role)
    throw refuse(text, 'a path as an output does not say what to write', suggestPath(text))
  }
  return parseRepository(text, text, role)
}

/** Writes a reference so that `parseReference` reads it back; registries' names fully qualified. */
export function formatReference(reference: Reference): string {
  switch (reference.transport) {
    case 'scratch':
    case 'registry':
      return reference.transport
    case 'host':
      return `host:${reference.runtime}`
    case 'docker': {
      const tag = reference.tag === undefined ? '' : `:${reference.tag}`
      const digest = reference.digest === undefined ? '' : `@${reference.digest}`
      const prefix = /^(?:oci|oci-archive|docker-archive):/.test(reference.host) ? 'docker://' : ''
      return `${prefix}${reference.host}/${reference.repository}${tag}${digest}`
    }
    default: {
      const { transport, path, ref, digest } = reference
      const selector = digest === undefined ? ref : `@${digest}`
      return selector === undefined ? `${transport}:${path}` : `${transport}:${path}:${selector}`
    }
  }
}

function parseHost(text: string, runtime: string, role: ReferenceRole): Reference {
  if (runtime !== 'node')
    throw refuse(text, `the host can give "node" only, not "${runtime}"`, 'write host:node')
  if (role === 'out') throw refuse(text, 'the host is a base and cannot be written')
  return { transport: 'host', runtime: 'node' }
}

function parseLayout(
  text: string,
  transport: LayoutReference['transport'],
  rest: string,
  role: ReferenceRole,
): LayoutReference {
  // A drive letter of Windows: its colon does not end the path.
  const driveLength = /^[A-Za-z]:[\\/]/.test(rest) ? 2 : 0
  const colon = rest.indexOf(':', driveLength)
  const path = colon === -1 ? rest : rest.slice(0, colon)
  const selector = colon === -1 ? undefined : rest.slice(colon + 1)
  const what = transport === 'oci' ? 'folder' : 'file'
  if (path === '') throw refuse(text, `no ${what} is named`, `write ${transport}:${what.toUpperCase()}[:REF]`)
  if (path === '-' && transport === 'oci') {
    throw refuse(text, 'a layout is a folder and cannot be a stream', 'use oci-archive:-')
  }
  if (path === '-' && role === 'in') throw refuse(text, 'an image is not read from stdin', 'name a file')
  if (selector === undefined) return { transport, path }
  if (selector.startsWith('@')) {
    if (role === 'out') {
      throw refuse(text, 'an output gets its digest from the build', 'name a ref in place of the digest')
    }
    return { transport, path, digest: readDigest(text, selector.slice(1)) }
  }
  if (role === 'out' ? !refName.test(selector) : !refCharacters.test(selector)) {
    throw refuse(
      text,
      `"${selector}" is not a ref name; wanted letters and digits, with one of -._:@+ or / between them`,
    )
  }
  return { transport, path, ref: selector }
}

function parseRepository(text: string, name: string, role: ReferenceRole): Reference {
  const parsed = parseRepositoryReference(name)
  if ('problem' in parsed) throw refuse(text, parsed.problem, parsed.hint)
  if (role === 'out') {
    if (!parsed.hostWritten) {
      throw refuse(text, 'an output in a registry needs the host of the registry', suggestPath(text))
    }
    if (parsed.reference.digest !== undefined) {
      throw refuse(text, 'an output gets its digest from the build', 'leave @DIGEST out')
    }
  }
  return parsed.reference
}

function readDigest(text: string, digest: string): Digest {
  if (isDigest(digest)) return digest
  throw refuse(text, `"${digest}" is not a digest; wanted sha256: and 64 hex digits, or sha512: and 128`)
}

function looksLikePath(text: string): boolean {
  return /^(?:\.{1,2}(?:[\\/]|$)|[\\/]|~[\\/]|[A-Za-z]:[\\/])/.test(text)
}

function suggestPath(text: string): string {
  const archive = /\.(?:tar|tgz|tar\.gz)$/.test(text)
  return archive
    ? `write oci-archive:${text} for a file`
    : `write oci:${text} for a folder, oci-archive:${text}.tar for a file, or HOST/${text.replace(/^[./\\]+/, '')} for a registry`
}

function refuse(text: string, problem: string, hint?: string): OciBuildError {
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text
  return new OciBuildError('OCB-SPEC-REFERENCE', {
    message: `cannot read the reference "${shown}": ${problem}`,
    hint:
      hint ??
      'write NAME[:TAG][@DIGEST], oci:DIR[:REF], oci-archive:FILE[:REF], docker-archive:FILE[:REF], scratch or host:node',
  })
}

/** `docker.io/library/node:22`: fully qualified, with the tag that was written and without a digest. */
export function qualifiedName({ host, repository, tag, digest }: RegistryReference): string {
  const name = `${host}/${repository}`
  if (tag !== undefined) return `${name}:${tag}`
  return digest === undefined ? `${name}:latest` : name
}
