/** One name for each registry: hosts are compared without case, and Docker Hub goes by several. */

const dockerHub: ReadonlySet<string> = new Set([
  'docker.io',
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
])

/** The host as references have it (`docker.io` for each of Docker Hub's), in lower case; a port stays. */
export function canonicalHost(host: string): string {
  const lower = host.toLowerCase()
  return dockerHub.has(lower) ? 'docker.io' : lower
}

/** All names that a registry goes by, the canonical one first. */
export function hostNames(host: string): readonly string[] {
  const canonical = canonicalHost(host)
  return canonical === 'docker.io' ? [...dockerHub] : [canonical]
}
