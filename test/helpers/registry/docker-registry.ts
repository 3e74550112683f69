/** Debian's docker-registry on a port of this machine, with a folder that goes when it ends. */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPeer } from '../peers.ts'
import type { TlsOptions } from './options.ts'

export interface DockerRegistryOptions {
  /** Needs `me` and `secret:pass`. Default false. */
  readonly htpasswd?: boolean | undefined
  readonly tls?: TlsOptions | undefined
  readonly readonly?: boolean | undefined
  /** Default true. */
  readonly deleteEnabled?: boolean | undefined
  /** Origin of a registry whose content it fetches and keeps: a mirror. */
  readonly mirrorOf?: string | undefined
  /** Its content. Default: a new folder, removed at the end. */
  readonly folder?: string | undefined
}

export interface DockerRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  readonly origin: string
  /** Its log so far, where its own words are needed. */
  log(): string
  close(): Promise<void>
}

export const dockerUser = { username: 'me', password: 'secret:pass' } as const

/** Of `dockerUser`; bcrypt, the only kind that it reads. */
const passwordFile = 'me:$2b$04$syvwGin/TRAleWmkuy3l1eZNOMI6RfYWE3peTzsGG4LB9YGgMnqva\n'

/** Throws where the command is missing: tests ask by `describeWithPeers` first. */
export async function startDockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const command = findPeer('docker-registry')
  if (command === undefined) throw new Error('docker-registry is not installed')
  const home = mkdtempSync(join(tmpdir(), 'ocibuild-docker-registry-'))
  writeFileSync(join(home, 'config.json'), JSON.stringify(configOf(home, options)))
  // Variables named REGISTRY_… would change its configuration.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('REGISTRY_')),
  )
  const child = spawn(command, ['serve', join(home, 'config.json')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<void>((done) => child.once('close', () => done()))
  // It dies with us, also where a test run is cut short.
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  let log = ''
  const port = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      log = `${log}${chunk.toString('utf8')}`.slice(-64 * 1024)
      const found = /listening on 127\.0\.0\.1:(\d+)/.exec(log)?.[1]
      if (found !== undefined) resolve(found)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('error', reject)
    void ended.then(() => reject(new Error(`docker-registry ended: ${log}`)))
  })
  const host = `127.0.0.1:${port}`
  return {
    host,
    origin: `${options.tls ? 'https' : 'http'}://${host}`,
    log: () => log,
    async close() {
      kill()
      process.off('exit', kill)
      await ended
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** JSON is YAML. */
function configOf(home: string, options: DockerRegistryOptions): unknown {
  const { tls } = options
  const file = (name: string, content: string): string => {
    writeFileSync(join(home, name), content, { mode: 0o600 })
    return join(home, name)
  }
  return {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: options.folder ?? join(home, 'content') },
      delete: { enabled: options.deleteEnabled ?? true },
      maintenance: { uploadpurging: { enabled: false }, readonly: { enabled: options.readonly ?? false } },
    },
    http: {
      addr: '127.0.0.1:0',
      secret: 'only for tests',
      ...(tls && {
        tls: {
          certificate: file('server.pem', tls.certificate),
          key: file('server.key', tls.key),
          ...(tls.clientAuthority && { clientcas: [file('clients.pem', tls.clientAuthority)] }),
        },
      }),
    },
    ...(options.htpasswd === true && {
      auth: { htpasswd: { realm: 'ocibuild tests', path: file('htpasswd', passwordFile) } },
    }),
    ...(options.mirrorOf !== undefined && { proxy: { remoteurl: options.mirrorOf } }),
  }
}
