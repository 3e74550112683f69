/** The keys of credential files: hosts in Docker's spellings, and podman's `host/namespace`. */

import { canonicalHost } from '../settings/canonical-host.ts'

/** Docker Hub's key since the days of the first registry protocol. */
const dockerHubKey = 'https://index.docker.io/v1/'

/** The key that Docker gives a host, and the URL that credential helpers are asked for. */
export function dockerKey(host: string): string {
  const canonical = canonicalHost(host)
  return canonical === 'docker.io' ? dockerHubKey : canonical
}

/** What a key stands for: `https://index.docker.io/v1/` is `docker.io`, `quay.io/team` a namespace there. */
export function readKey(key: string): { readonly host: string; readonly namespace: string } {
  const bare = key.replace(/^https?:\/\//i, '').replace(/\/+$/, '')
  const slash = bare.indexOf('/')
  const host = canonicalHost(slash === -1 ? bare : bare.slice(0, slash))
  const path = slash === -1 ? '' : bare.slice(slash + 1)
  return { host, namespace: path === 'v1' || path === 'v2' ? '' : path }
}

/**
 * The keys that stand for a repository, the most specific first (containers-auth.json(5)); without a repository
 * those of the whole host.
 */
export function matchingKeys(keys: readonly string[], host: string, repository?: string): readonly string[] {
  const wanted = canonicalHost(host)
  const exact = dockerKey(host)
  const matches = keys.flatMap((key) => {
    const { host: found, namespace } = readKey(key)
    if (found !== wanted || !covers(namespace, repository)) return []
    return [{ key, rank: namespace.length, isExact: key === exact }]
  })
  // Among spellings of one thing, the one that Docker writes is the one that was written last.
  return matches
    .sort((a, b) => b.rank - a.rank || Number(b.isExact) - Number(a.isExact))
    .map(({ key }) => key)
}

function covers(namespace: string, repository: string | undefined): boolean {
  if (namespace === '') return true
  return repository !== undefined && (repository === namespace || repository.startsWith(`${namespace}/`))
}
