/** CA certificates for `host:node`: the host's bundle, else the one inside Node.js. */

import { lstatSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Placement } from '../plan/placement.ts'
import { placeHostFile, placeSymlink, placeText } from './place.ts'

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
  const hostBundle = bundles.map((path) => regularFile(join(root, path))).find((path) => path !== undefined)
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

/** The file behind a path, when it is a regular one with something in it. */
function regularFile(path: string): string | undefined {
  try {
    const realPath = realpathSync(path)
    const stat = lstatSync(realPath)
    return stat.isFile() && stat.size > 0 ? realPath : undefined
  } catch {
    return undefined
  }
}
