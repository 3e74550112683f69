/** CA certificates for `host:node`: the host's bundle, else the one inside Node.js. */

import { join } from 'node:path'
import type { Placement } from '../plan/placement.ts'
import { findHostFile, placeHostFile, placeSymlink, placeText } from './place.ts'

/** Debian and Alpine; Fedora and RHEL (two); openSUSE; Alpine's and OpenSSL's own. */
const bundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

const bundlePath = '/etc/ssl/certs/ca-certificates.crt'

/** The bundle at Debian's path, and at the one where OpenSSL's own default (also `node --use-openssl-ca`) looks. */
export async function certificateFiles(root: string): Promise<readonly Placement[]> {
  const hostBundle = bundles.map((path) => findHostFile(join(root, path))).find((path) => path !== undefined)
  return [
    hostBundle === undefined
      ? placeText(bundlePath, await nodeBundle())
      : placeHostFile(bundlePath, hostBundle),
    placeSymlink('/etc/ssl/cert.pem', 'certs/ca-certificates.crt'),
  ]
}

async function nodeBundle(): Promise<string> {
  const { rootCertificates } = await import('node:tls')
  return `${rootCertificates.join('\n')}\n`
}
