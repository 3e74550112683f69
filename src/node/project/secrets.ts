/** Credentials among the files that would ship: known by name, or by what is in them. */

import { OciBuildError, type Problem } from '../../errors.ts'
import { compileGlobs } from '../../plan/glob-rules.ts'
import { lastMatch } from '../../plan/rules.ts'
import type { Found } from '../../plan/walk-folder.ts'
import { readHead } from './file-head.ts'

/** A larger file is looked at up to here, in bytes. */
const maxBytes = 1024 * 1024

interface Shape {
  readonly what: string
  readonly regex: RegExp
}

/** By name alone. */
const names: readonly Shape[] = [
  {
    what: 'variables of an environment',
    regex: /(?:^|\/)\.env(?:\.(?!(?:example|sample|template)$)[^/]*)?$/,
  },
  { what: 'a private key', regex: /(?:^|\/)id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?$/ },
  { what: 'a store of keys', regex: /\.(?:p12|pfx|jks|keystore)$/i },
  { what: 'passwords of hosts', regex: /(?:^|\/)(?:\.netrc|_netrc|\.pypirc|\.dockercfg|\.git-credentials)$/ },
  { what: 'credentials of registries', regex: /(?:^|\/)\.docker\/config\.json$/ },
  { what: 'credentials of a cloud', regex: /(?:^|\/)\.aws\/credentials$/ },
]

/** A value that is a variable is no credential. */
const npmToken =
  /^[^#;\n]*(?::_authToken|_auth|:_password|:_auth|npmAuthToken|npmAuthIdent)["']?\s*[=:]\s*["']?(?!["']?\$\{?|["']?\s*$)\S+/m

/** By what is in it. */
const contents: readonly Shape[] = [
  {
    what: 'a private key',
    regex: /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----\s*(?:\\n|\s)*[A-Za-z0-9+/=]{40}/,
  },
  { what: 'a key of AWS', regex: /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/ },
  { what: 'a token of GitHub', regex: /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})\b/ },
  { what: 'a token of GitLab', regex: /\bglpat-[A-Za-z0-9_-]{20,}\b/ },
  { what: 'a token of npm', regex: /\bnpm_[A-Za-z0-9]{36}\b/ },
  { what: 'a token of Slack', regex: /\bxox[baprs]-\d{8,}-[A-Za-z0-9-]{20,}\b/ },
  { what: 'a live key of Stripe', regex: /\b[rs]k_live_[A-Za-z0-9]{20,}\b/ },
]

/** What holds no text. */
const binary =
  /\.(?:png|jpe?g|gif|webp|avif|ico|woff2?|ttf|otf|eot|mp[34]|webm|mov|pdf|zip|t?gz|br|zst|wasm|node|so|dll|exe|db|sqlite)$/i

/**
 * Throws `OCB-NODE-SECRET`, with every file and what it holds. `found` are paths below `prefix`, a path below the
 * project's root; `allow` are globs over the paths below the package's own folder or the root.
 */
export function refuseSecrets(found: readonly Found[], prefix: string, allow: readonly string[]): void {
  const rules = compileGlobs(allow, 'node.allow', 'spec')
  const allowed = (path: string): boolean => rules[lastMatch(rules, path, undefined)]?.negated === false
  const problems: Problem[] = []
  for (const { path, hostPath, type } of found) {
    if (type !== 'file') continue
    const what = secretIn(path, hostPath)
    const full = prefix === '' ? path : `${prefix}/${path}`
    if (what === undefined || allowed(path) || allowed(full)) continue
    problems.push({ path: full, message: `${full} holds ${what}`, file: hostPath })
  }
  const [first] = problems
  if (first === undefined) return
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : ''
  throw new OciBuildError('OCB-NODE-SECRET', {
    message: `${first.message} and would ship in the image${more}`,
    hint: `leave it out with node: { exclude: ['${first.path}'] }, or allow it with node: { allow: ['${first.path}'] }`,
    problems,
  })
}

/** What a file holds that must not ship; undefined for nothing known. */
function secretIn(path: string, hostPath: string): string | undefined {
  const named = names.find(({ regex }) => regex.test(path))
  if (named !== undefined) return named.what
  if (binary.test(path)) return undefined
  const text = readHead(hostPath, maxBytes).toString('latin1')
  if (/(?:^|\/)(?:\.npmrc|\.yarnrc\.yml)$/.test(path) && npmToken.test(text)) return 'a token of a registry'
  return contents.find(({ regex }) => regex.test(text))?.what
}
