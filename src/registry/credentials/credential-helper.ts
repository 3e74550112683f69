/** Credential helpers: `docker-credential-X`, asked through stdin so that nothing secret is in an argument list. */

import { spawn } from 'node:child_process'
import type { Environment } from '../../environment.ts'
import { OciBuildError, systemErrorCode } from '../../errors.ts'
import { basicOrToken, tokenUsername, type StoredCredential } from './found-credential.ts'

/** A helper may wait for a person to unlock a key ring. */
const timeoutMs = 120_000
const maxAnswerBytes = 1024 * 1024

/** Helpers tell by a text that they hold nothing; each operating system's has its own. */
const notFoundWords =
  /credentials not found|could not be found in the keychain|element not found|no credentials for|not in the password store/i

/** `missing`: the program is not installed. */
export type HelperAnswer = StoredCredential | undefined | 'missing'

/**
 * Asks for the credential of a server. Throws `OCB-REGISTRY-CREDENTIAL-HELPER` when the helper fails, other than by
 * knowing nothing.
 */
export async function getFromHelper(
  name: string,
  server: string,
  environment: Environment,
): Promise<HelperAnswer> {
  const result = await run(name, 'get', server, environment)
  if (result === 'missing') return 'missing'
  if (result.status !== 0) {
    if (notFoundWords.test(result.output)) return undefined
    throw helperFailed(name, `get for ${server}`, result)
  }
  const answer = parseAnswer(result.stdout)
  if (answer === undefined) {
    throw new OciBuildError('OCB-REGISTRY-CREDENTIAL-HELPER', {
      message: `docker-credential-${name} get for ${server} answered with something else than a Username and a Secret`,
      hint: 'check that the helper is the one that is meant, or log in again',
    })
  }
  const [username, secret] = answer
  if (secret === '') return undefined
  return basicOrToken(username, secret)
}

/** Stores a credential. Throws `OCB-REGISTRY-CREDENTIAL-HELPER`, also when the helper is not installed. */
export async function storeInHelper(
  name: string,
  server: string,
  credential: StoredCredential,
  environment: Environment,
): Promise<void> {
  const [username, secret] =
    credential.kind === 'basic'
      ? [credential.username, credential.password]
      : [tokenUsername, credential.token]
  const input = JSON.stringify({ ServerURL: server, Username: username, Secret: secret })
  const result = await run(name, 'store', input, environment)
  if (result === 'missing') throw helperMissing(name)
  // What a helper says of its input may hold the input.
  if (result.status !== 0) throw helperFailed(name, `store for ${server}`, { ...result, output: '' })
}

/** Forgets a server; harmless where nothing is known of it. False where the helper held nothing. */
export async function eraseFromHelper(
  name: string,
  server: string,
  environment: Environment,
): Promise<boolean> {
  const held = await getFromHelper(name, server, environment)
  if (held === 'missing') throw helperMissing(name)
  if (held === undefined) return false
  const result = await run(name, 'erase', server, environment)
  if (result === 'missing') throw helperMissing(name)
  if (result.status !== 0) throw helperFailed(name, `erase for ${server}`, result)
  return true
}

export function helperMissing(name: string): OciBuildError {
  return new OciBuildError('OCB-REGISTRY-CREDENTIAL-HELPER', {
    message: `the credential helper docker-credential-${name} is not installed: it is not on PATH`,
    hint: `install docker-credential-${name}, or take it out of the file that names it`,
  })
}

interface HelperResult {
  readonly status: number | undefined
  readonly stdout: string
  /** Both streams, for people. */
  readonly output: string
}

async function run(
  name: string,
  verb: 'get' | 'store' | 'erase',
  input: string,
  { variables, cwd }: Environment,
): Promise<HelperResult | 'missing'> {
  // A name with a slash would run a program of the file's choice.
  if (!/^[A-Za-z0-9._-]+$/.test(name)) {
    throw new OciBuildError('OCB-REGISTRY-CREDENTIAL-HELPER', {
      message: `${JSON.stringify(name)} is not the name of a credential helper; wanted the X of docker-credential-X`,
      hint: 'mend credsStore or credHelpers in the file of credentials',
    })
  }
  return await new Promise((done, fail) => {
    const child = spawn(`docker-credential-${name}`, [verb], {
      cwd,
      env: { ...variables },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutMs,
      windowsHide: true,
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    let bytes = 0
    const keep = (chunks: Buffer[]) => (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maxAnswerBytes) child.kill()
      else chunks.push(chunk)
    }
    child.stdout.on('data', keep(stdout))
    child.stderr.on('data', keep(stderr))
    child.on('error', (error) => {
      if (systemErrorCode(error) === 'ENOENT') done('missing')
      else fail(helperFailed(name, verb, { status: undefined, stdout: '', output: error.message }))
    })
    child.on('close', (status) => {
      const text = Buffer.concat(stdout).toString('utf8')
      done({
        status: status ?? undefined,
        stdout: text,
        output: `${text}${Buffer.concat(stderr).toString('utf8')}`,
      })
    })
    // A helper that fails at once does not read its input.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

function parseAnswer(text: string): readonly [username: string, secret: string] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    if (!('Username' in value) || !('Secret' in value)) return undefined
    const { Username: username, Secret: secret } = value
    return typeof username === 'string' && typeof secret === 'string' ? [username, secret] : undefined
  } catch {
    return undefined
  }
}

function helperFailed(name: string, what: string, { status, output }: HelperResult): OciBuildError {
  const how = status === undefined ? 'was stopped' : `ended with exit code ${status}`
  const said = output
    .replaceAll(/[\u0000-\u001f\u007f]+/g, ' ')
    .trim()
    .slice(0, 300)
  return new OciBuildError('OCB-REGISTRY-CREDENTIAL-HELPER', {
    message: `docker-credential-${name} ${what} ${how}${said === '' ? '' : `: ${said}`}`,
    hint: `run docker-credential-${name} by itself to see what it lacks, or log in again`,
  })
}
