/** A private authority with a server's and a client's certificate, made by the openssl command when a test asks. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface KeyPair {
  /** PEM. */
  readonly certificate: string
  readonly key: string
}

export interface Certificates {
  /** PEM of the authority. */
  readonly authority: string
  /** For 127.0.0.1, localhost and what was asked for. */
  readonly server: KeyPair
  readonly client: KeyPair
  /** Made by the authority too, and over since long. */
  readonly expired: KeyPair
  /** Where they lie as files: ca.pem, server.pem, server.key, client.pem, client.key, expired.pem, expired.key. */
  readonly folder: string
  remove(): void
}

/** `names`: more DNS names of the server. Needs the openssl command. */
export function makeCertificates(names: readonly string[] = []): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'ocibuild-certificates-'))
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  }
  const key = (name: string): void =>
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${name}.key`)
  // An own configuration: the machine's may add extensions.
  writeFileSync(join(folder, 'ca.cnf'), authorityConfig)
  key('ca')
  openssl('req', '-x509', '-new', '-config', 'ca.cnf', '-key', 'ca.key', '-days', '2', '-out', 'ca.pem')

  const sign = (name: string, extensions: string, days: readonly string[]): KeyPair => {
    key(name)
    openssl(
      'req',
      '-new',
      '-config',
      'ca.cnf',
      '-subj',
      `/CN=${name}`,
      '-key',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    )
    writeFileSync(join(folder, `${name}.ext`), `basicConstraints=CA:FALSE\n${extensions}\n`)
    const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial']
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...authority,
      '-extfile',
      `${name}.ext`,
      ...days,
      '-out',
      `${name}.pem`,
    )
    const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
    return { certificate: read(`${name}.pem`), key: read(`${name}.key`) }
  }
  const alternatives = ['IP:127.0.0.1', 'IP:::1', 'DNS:localhost', ...names.map((name) => `DNS:${name}`)]
  const serverUse = `extendedKeyUsage=serverAuth\nsubjectAltName=${alternatives.join(',')}`
  const server = sign('server', serverUse, ['-days', '2'])
  const client = sign('client', 'extendedKeyUsage=clientAuth', ['-days', '2'])
  const expired = sign('expired', serverUse, ['-days', '-1'])
  return {
    authority: readFileSync(join(folder, 'ca.pem'), 'utf8'),
    server,
    client,
    expired,
    folder,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

const authorityConfig = `[req]
distinguished_name = name
x509_extensions = authority
prompt = no
[name]
CN = ocibuild tests
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
`
