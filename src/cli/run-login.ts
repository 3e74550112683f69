/** What `login` and `logout` do. */

import { OciBuildError } from '../errors.ts'
import { canonicalHost } from '../registry/settings/canonical-host.ts'
import { parseRepositoryReference } from '../spec/parse-repository.ts'
import { checkLogin } from '../transfer/check-login.ts'
import type { CliContext } from './context.ts'
import type { LoginFlags } from './login.ts'
import { askLine, readAll } from './read-stdin.ts'
import { withRegistries } from './registry-session.ts'

export async function runLogin(text: string, flags: LoginFlags, context: CliContext): Promise<void> {
  const host = readHost(text)
  const { username, password } = await readCredential(host, flags, context)
  await withRegistries(context, [], async ({ places, credentials }) => {
    const credential =
      username === '<token>'
        ? ({ kind: 'identity-token', token: password } as const)
        : ({ kind: 'basic', username, password } as const)
    const checked = await checkLogin(host, credential, places.registries)
    const stored = await credentials.save(host, credential)
    if (!checked) {
      context.stderr(`${host} lets everybody in, so that the password could not be checked\n`)
    }
    const first = await credentials.find(host)
    if (first !== undefined && first.origin !== stored) {
      context.stderr(`${first.origin} is used before what is stored now\n`)
    }
    if (flags.json === true) {
      context.stdout(`${JSON.stringify({ schemaVersion: 1, host, stored, checked }, null, 2)}\n`)
      return
    }
    const bare = stored.startsWith('docker-credential-')
      ? ''
      : ', readable for this user alone but not encrypted'
    context.stderr(`logged in to ${host}; stored in ${stored}${bare}\n`)
  })
}

export async function runLogout(
  text: string,
  flags: Pick<LoginFlags, 'json'>,
  context: CliContext,
): Promise<void> {
  const host = readHost(text)
  await withRegistries(context, [], async ({ credentials }) => {
    const removed = await credentials.remove(host)
    const left = await credentials.find(host)
    if (flags.json === true) {
      const view = { schemaVersion: 1, host, removed, left: left?.origin ?? null }
      context.stdout(`${JSON.stringify(view, null, 2)}\n`)
      return
    }
    context.stderr(removed ? `logged out of ${host}\n` : `nothing was stored for ${host}\n`)
    if (left !== undefined) context.stderr(`a credential for it is still in ${left.origin}\n`)
  })
}

async function readCredential(
  host: string,
  flags: LoginFlags,
  context: CliContext,
): Promise<{ readonly username: string; readonly password: string }> {
  const { stdin } = context
  const isTerminal = stdin !== undefined && 'isTTY' in stdin && stdin.isTTY === true
  if (!isTerminal && (flags.passwordStdin !== true || flags.username === undefined)) {
    throw new OciBuildError('OCB-USAGE-PASSWORD', {
      message: 'there is no terminal to ask for the user name and the password on',
      hint: `write ocibuild login ${host} -u USER --password-stdin, and pipe the password in`,
    })
  }
  const username = flags.username ?? (await askLine(`user name for ${host}: `, context, { echo: true }))
  const password =
    flags.passwordStdin === true
      ? (await readAll(context)).replace(/\r?\n$/, '')
      : await askLine(`password or token for ${username} at ${host}: `, context, { echo: false })
  if (username !== '' && password !== '') return { username, password }
  throw new OciBuildError('OCB-USAGE-PASSWORD', {
    message: `the ${username === '' ? 'user name' : 'password'} is empty`,
    hint: 'check what is piped into the command, e.g. that the variable with the token is set',
  })
}

/** `https://ghcr.io/` is `ghcr.io`. Throws `OCB-USAGE-HOST`. */
export function readHost(text: string): string {
  const host = canonicalHost(text.replace(/^https?:\/\//i, '').replace(/\/(?:v[12]\/?)?$/, ''))
  const parsed = parseRepositoryReference(`${host}/x`)
  if ('reference' in parsed && parsed.hostWritten && parsed.reference.host === host) return host
  throw new OciBuildError('OCB-USAGE-HOST', {
    message: `"${text}" is not the host of a registry`,
    hint: 'write it like ghcr.io, localhost:5000 or docker.io',
  })
}
