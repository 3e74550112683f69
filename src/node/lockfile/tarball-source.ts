/** The archives that a lockfile names: from npm's cache, from a file of the project, or from their registry. */

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { messageOf, OciBuildError, systemErrorCode } from '../../errors.ts'
import type { Environment } from '../../environment.ts'
import { openHttpClient, type HttpClient } from '../../registry/http-client.ts'
import { httpDownload } from '../../registry/http-download.ts'
import { readUrl, redactUrl } from '../../registry/redact-url.ts'
import { integrityFault, type Integrity } from './integrity.ts'
import type { LockedArchive } from './locked-tree.ts'
import { unsupported } from './lockfile-error.ts'
import type { NpmSettings } from './npmrc.ts'
import { authorizationFor } from './registry-auth.ts'

export interface TarballSource {
  /**
   * Bytes whose integrity is checked. Throws `OCB-NODE-LOCKFILE-INTEGRITY`, `OCB-NETWORK-OFFLINE`,
   * `OCB-NETWORK-DOWNLOAD`, `OCB-NODE-LOCKFILE-UNSUPPORTED`.
   */
  get(archive: LockedArchive, integrity: Integrity, signal: AbortSignal | undefined): Promise<Uint8Array>
  close(): Promise<void>
}

export interface TarballSourceOptions {
  /** Absolute: what `file:` is relative to. */
  readonly root: string
  readonly settings: NpmSettings
  readonly environment: Environment
  readonly offline: boolean
}

/** More at once than this is slower with most registries. */
const connections = 16

export function openTarballSource(options: TarballSourceOptions): TarballSource {
  const { root, settings, environment, offline } = options
  let opened: Promise<HttpClient> | undefined
  const client = (): Promise<HttpClient> => (opened ??= openClient(environment, settings))

  const download = async (
    archive: LockedArchive,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly bytes: Uint8Array; readonly from: string }> => {
    const url = urlOf(archive, settings)
    const from = redactUrl(url)
    if (offline) {
      throw new OciBuildError('OCB-NETWORK-OFFLINE', {
        message: `${labelOf(archive)} is in no cache, and offline forbids to fetch ${from}`,
        hint: 'build once without --offline',
      })
    }
    const authorization = authorizationFor(url, settings.registryOf(archive.name), settings)
    const bytes = await httpDownload(
      url.href,
      async (body) => {
        const chunks: Uint8Array[] = []
        for await (const chunk of body) chunks.push(chunk)
        return Buffer.concat(chunks)
      },
      {
        environment: throughProxies(environment, settings),
        client: await client(),
        authorization,
        signal,
      },
    ).catch((error: unknown) => {
      throw refused(error, archive, url, authorization !== undefined)
    })
    return { bytes, from }
  }

  return {
    async get(archive, integrity, signal) {
      const cached = fromNpmCache(settings.cacheDir, integrity)
      if (cached !== undefined) return cached
      const file = /^file:(.*)$/.exec(archive.resolved ?? '')?.[1]
      const { bytes, from } =
        file === undefined ? await download(archive, signal) : readLocal(resolve(root, file), archive)
      const seen = integrityFault(bytes, integrity)
      if (seen === undefined) return bytes
      throw new OciBuildError('OCB-NODE-LOCKFILE-INTEGRITY', {
        message: `${labelOf(archive)} from ${from} has the integrity ${seen}; the lockfile wants ${archive.integrity ?? ''}`,
        hint: 'find out who changed the package before anything of it runs',
      })
    },
    async close() {
      await (await opened)?.close()
    },
  }
}

/** `ms@2.1.3` */
export function labelOf({ name, version }: Pick<LockedArchive, 'name' | 'version'>): string {
  return version === '' ? name : `${name}@${version}`
}

/** A registry that wants to know who asks says so in different ways: 404 too. */
function refused(error: unknown, archive: LockedArchive, url: URL, asked: boolean): unknown {
  if (!(error instanceof OciBuildError) || !/ answered with status 40[134]/.test(error.message)) return error
  const key = `//${url.host}/:_authToken`
  return new OciBuildError(error.code, {
    message: `cannot fetch ${labelOf(archive)}: ${error.message}`,
    hint: asked
      ? `check that what .npmrc has for ${url.host} may read the package, and that the version is still there`
      : `where the package is not for all, set ${key} in .npmrc; else check that the version is still there`,
    cause: error,
  })
}

/** npm keeps what it fetched by its digest. What is damaged there is fetched again. */
function fromNpmCache(cacheDir: string, integrity: Integrity): Uint8Array | undefined {
  const { algorithm, digests } = integrity
  for (const hex of digests) {
    const place = join('_cacache', 'content-v2', algorithm, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4))
    try {
      const bytes = readFileSync(join(cacheDir, place))
      if (integrityFault(bytes, integrity) === undefined) return bytes
    } catch {
      // Not there, or not for us: the registry has it.
    }
  }
  return undefined
}

function readLocal(
  path: string,
  archive: LockedArchive,
): { readonly bytes: Uint8Array; readonly from: string } {
  try {
    return { bytes: readFileSync(path), from: path }
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'EISDIR') {
      throw unsupported(
        `${labelOf(archive)} is the folder ${path}, which is packed when it is installed`,
        'make it a package of the workspace, or install the dependencies',
      )
    }
    throw new OciBuildError('OCB-NODE-LOCKFILE-INTEGRITY', {
      message: `cannot read ${path}, the archive of ${labelOf(archive)}: ${code ?? messageOf(error)}`,
      hint: 'put the file where the lockfile names it, or install again',
      cause: error,
    })
  }
}

/**
 * Where an archive is fetched. npm's own registry in a lockfile stands for whatever registry is configured (`replace-
 * registry-host` says for which others too, or for none).
 */
function urlOf(archive: LockedArchive, settings: NpmSettings): URL {
  const { name, version, resolved } = archive
  const base = name.slice(name.lastIndexOf('/') + 1)
  const own = (): string => `${settings.registryOf(name)}${name}/-/${base}-${version}.tgz`
  const url = readUrl(resolved ?? own())
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw unsupported(
      `${labelOf(archive)} comes from "${resolved ?? own()}", which is neither a URL of http nor a file`,
      'depend on a published version of it, or install the dependencies',
    )
  }
  if (resolved === undefined || settings.get('registry') === undefined) return url
  const registry = readUrl(settings.registryOf(name))
  const replaced = settings.get('replace-registry-host') ?? 'npmjs'
  if (registry === undefined || registry.host === url.host || replaced === 'never') return url
  const isReplaced =
    replaced === 'always' ||
    url.hostname === (replaced === 'npmjs' ? readUrl(settings.ownRegistry())?.hostname : replaced)
  if (!isReplaced) return url
  return new URL(url.pathname.replace(/^\/+/, '') + url.search, registry)
}

async function openClient(environment: Environment, settings: NpmSettings): Promise<HttpClient> {
  const file = settings.get('cafile')
  let ca = settings.list('ca').filter((text) => text.includes('BEGIN CERTIFICATE'))
  if (file !== undefined && file !== 'null') {
    try {
      ca = [...ca, readFileSync(file, 'utf8')]
    } catch (error) {
      throw new OciBuildError('OCB-NODE-NPMRC', {
        message: `cannot read ${file}, which cafile of .npmrc names: ${messageOf(error)}`,
        hint: 'correct cafile, or remove it',
        cause: error,
      })
    }
  }
  return await openHttpClient(throughProxies(environment, settings), {
    connections,
    tls: { ca, verify: settings.get('strict-ssl') !== 'false' },
  })
}

/** Proxies of `.npmrc` go before those of the variables. */
function throughProxies(environment: Environment, settings: NpmSettings): Environment {
  const read = (key: string): string | undefined => {
    const value = settings.get(key)
    return value === undefined || ['', 'null', 'false'].includes(value) ? undefined : value
  }
  const proxy = read('proxy')
  const secure = read('https-proxy') ?? proxy
  const none = read('noproxy')
  return {
    ...environment,
    variables: {
      ...environment.variables,
      ...(proxy !== undefined && { http_proxy: proxy }),
      ...(secure !== undefined && { https_proxy: secure }),
      ...(none !== undefined && { no_proxy: none }),
    },
  }
}
