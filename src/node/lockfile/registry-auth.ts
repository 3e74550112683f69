/** Who asks a package registry: tokens and passwords of `.npmrc`, for the host and path they were given for. */

import { readUrl } from '../../registry/redact-url.ts'
import type { NpmSettings } from './npmrc.ts'

/**
 * The `authorization` header for a URL: what the settings have for it or a folder above it, else what they have for
 * `registry` where that is on the same host. Undefined where there is nothing.
 */
export function authorizationFor(url: URL, registry: string, settings: NpmSettings): string | undefined {
  const own = lookUp(url, settings)
  if (own !== undefined) return own
  const other = readUrl(registry)
  return other !== undefined && other.host === url.host ? lookUp(other, settings) : undefined
}

/** From the whole path up: `//host/path/`, `//host/`. */
function lookUp(url: URL, settings: NpmSettings): string | undefined {
  for (let path = url.pathname.replace(/\/+$/, ''); ; path = path.slice(0, path.lastIndexOf('/'))) {
    for (const key of [`//${url.host}${path}/`, `//${url.host}${path}`]) {
      const found = headerFrom(key, settings)
      if (found !== undefined) return found
    }
    if (path === '') return undefined
  }
}

function headerFrom(key: string, settings: NpmSettings): string | undefined {
  const token = settings.get(`${key}:_authToken`)
  if (token !== undefined) return `Bearer ${token}`
  const basic = settings.get(`${key}:_auth`)
  if (basic !== undefined) return `Basic ${basic}`
  const [user, password] = [settings.get(`${key}:username`), settings.get(`${key}:_password`)]
  if (user === undefined || password === undefined) return undefined
  const plain = Buffer.from(password, 'base64').toString('utf8')
  return `Basic ${Buffer.from(`${user}:${plain}`).toString('base64')}`
}
