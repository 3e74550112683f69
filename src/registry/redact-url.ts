/** URLs as they are read and as they may be shown: without what lets somebody in. */

/** A URL, relative to `base` where that is given; undefined for what is none. */
export function readUrl(text: string, base?: URL): URL | undefined {
  try {
    return new URL(text, base)
  } catch {
    return undefined
  }
}

/** Host and path; user info is left out, a query (which may be a signature) becomes `?…`. */
export function redactUrl(url: URL | string): string {
  const parsed = typeof url === 'string' ? readUrl(url) : url
  if (parsed === undefined) return '(not a URL)'
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}${parsed.search === '' ? '' : '?…'}`
}
