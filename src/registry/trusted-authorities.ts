/** The certificates that a TLS server is checked against: Node.js's own, the user's, and the system's. */

import { readFileSync } from 'node:fs'
import * as tls from 'node:tls'
import type { Environment } from '../environment.ts'

/** Where Linux distributions keep all their authorities in one file. */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/**
 * PEM texts for the `ca` option of TLS. Node.js 22.15 and later read the system's store themselves; before, it is
 * `$SSL_CERT_FILE` or the distribution's bundle.
 */
export function trustedAuthorities(environment: Environment): readonly string[] {
  const { variables } = environment
  const read: unknown = Reflect.get(tls, 'getCACertificates')
  if (typeof read === 'function') {
    const own = [...call(read, 'default'), ...call(read, 'system')]
    return eachOnce([...own, ...readFirst([variables['SSL_CERT_FILE']])])
  }
  return eachOnce([
    ...tls.rootCertificates,
    // Given a list, TLS no longer looks at this variable itself.
    ...readFirst([variables['NODE_EXTRA_CA_CERTS']]),
    ...readFirst([variables['SSL_CERT_FILE'], ...systemBundles]),
  ])
}

/** The system's are mostly Node.js's own again, and reading one costs TLS a millisecond. */
function eachOnce(texts: readonly string[]): readonly string[] {
  const known = new Map<string, string>()
  for (const text of texts) {
    for (const [certificate] of text.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)) {
      known.set(certificate.replaceAll(/\s/g, ''), certificate)
    }
  }
  return Array.from(known.values())
}

function call(read: Function, type: 'default' | 'system'): readonly string[] {
  const certificates: unknown = Reflect.apply(read, tls, [type])
  return Array.isArray(certificates) ? certificates.filter((one) => typeof one === 'string') : []
}

/** The first of the files that can be read. */
function readFirst(paths: readonly (string | undefined)[]): readonly string[] {
  for (const path of paths) {
    if (path === undefined || path === '') continue
    try {
      return [readFileSync(path, 'utf8')]
    } catch {
      // Another place may hold them; a server that none of them vouches for fails by itself.
    }
  }
  return []
}
