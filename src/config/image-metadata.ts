/** `org.opencontainers.image.*` from package.json and git (contract, section 5; image-spec v1.1.1 annotations.md). */

import { isPlainObject } from './check-shape.ts'
import { originAsHttps } from './git-info.ts'
import type { GitInfo } from './resolved-spec.ts'
import type { PackageJson } from './spec-types.ts'

/**
 * The keys and values that `metadata` adds; empty ones are left out. `package` writes nothing from git. User
 * info in URLs is stripped.
 */
export function imageMetadata(
  mode: 'auto' | 'package' | 'none',
  packageJson: PackageJson | undefined,
  git: GitInfo,
): Readonly<Record<string, string>> {
  if (mode === 'none') return {}
  const words = packageJson ?? {}
  const source = repositoryUrl(words['repository']) ?? (mode === 'auto' ? git.origin : undefined)
  const revision = mode === 'auto' && git.commit ? `${git.commit}${git.dirty ? '-dirty' : ''}` : undefined
  const found: Record<string, string | undefined> = {
    title: words.name,
    description: words.description,
    version: words.version,
    licenses: words.license === 'UNLICENSED' ? undefined : words.license,
    url: httpUrl(words.homepage),
    authors: authorsOf(words),
    source,
    revision,
  }
  const metadata: Record<string, string> = {}
  for (const [key, value] of Object.entries(found)) {
    if (value) metadata[`org.opencontainers.image.${key}`] = value
  }
  return metadata
}

function httpUrl(text: string | undefined): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (!['http:', 'https:'].includes(url.protocol)) return undefined
  if (url.username === '' && url.password === '') return text
  url.username = ''
  url.password = ''
  return url.href
}

const hosts: Readonly<Record<string, string>> = {
  github: 'github.com',
  gitlab: 'gitlab.com',
  bitbucket: 'bitbucket.org',
}

/** npm's forms: `github:a/b`, `a/b`, a URL, or { url }. */
function repositoryUrl(value: unknown): string | undefined {
  const text = isPlainObject(value) ? value['url'] : value
  if (typeof text !== 'string') return undefined
  const short = /^(?:(github|gitlab|bitbucket):)?([\w.-]+\/[\w.-]+)$/.exec(text)
  if (short) return `https://${hosts[short[1] ?? 'github']}/${short[2]?.replace(/\.git$/, '')}`
  return originAsHttps(text)
}

/** `author` and `contributors` as npm writes people: `Name <mail> (url)`. */
function authorsOf(words: PackageJson): string | undefined {
  const contributors: unknown = words['contributors']
  const people: unknown[] = [words['author'], ...(Array.isArray(contributors) ? contributors : [])]
  const texts = people.map((person) => personText(person)).filter((text) => text !== undefined)
  return texts.length === 0 ? undefined : [...new Set(texts)].join(', ')
}

function personText(person: unknown): string | undefined {
  if (typeof person === 'string') return person.replace(/\s*\([^)]*\)\s*$/, '').trim() || undefined
  if (!isPlainObject(person)) return undefined
  const { name, email } = person
  if (typeof name !== 'string' || name === '') return typeof email === 'string' && email ? email : undefined
  return typeof email === 'string' && email !== '' ? `${name} <${email}>` : name
}
