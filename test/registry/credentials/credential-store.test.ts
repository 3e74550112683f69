/** Credentials: which place is asked first, how each is read, and what is written. */

import { readFileSync, statSync, symlinkSync, lstatSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { OciBuildError } from '../../../src/errors.ts'
import { createCredentialStore } from '../../../src/registry/credentials/credential-store.ts'
import { describeWithPeers } from '../../helpers/peers.ts'
import { execFileSync } from 'node:child_process'
import { credentialKit, type CredentialKit } from './helper-kit.ts'

const auth = (user: string, password: string): { auth: string } => ({
  auth: Buffer.from(`${user}:${password}`).toString('base64'),
})

function open(kit: CredentialKit, variables?: Readonly<Record<string, string>>, hosts?: readonly string[]) {
  const warnings: string[] = []
  const store = createCredentialStore({
    environment: kit.environment(variables),
    hosts,
    reporter: { warn: (code) => void warnings.push(code) },
  })
  return { ...store, warnings }
}

async function failure(work: Promise<unknown>): Promise<OciBuildError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof OciBuildError) return error
  throw new Error('no error of ours was thrown')
}

describe('credentials from variables', () => {
  it('come before all files, for one host or for every', async () => {
    const kit = credentialKit()
    kit.write('home/.docker/config.json', { auths: { 'ghcr.io': auth('file', 'f') } })
    const { find } = open(kit, {
      OCIBUILD_REGISTRY_USERNAME: 'all',
      OCIBUILD_REGISTRY_PASSWORD: 'a',
      OCIBUILD_REGISTRY_USERNAME_LOCALHOST_5000: 'one',
      OCIBUILD_REGISTRY_PASSWORD_LOCALHOST_5000: 'o',
    })
    expect(await find('ghcr.io')).toEqual({
      credential: { kind: 'basic', username: 'all', password: 'a' },
      origin: 'OCIBUILD_REGISTRY_USERNAME in the environment',
    })
    expect((await find('localhost:5000'))?.credential).toMatchObject({ username: 'one' })
  })

  it('without a host go only to the hosts they are for', async () => {
    const variables = { OCIBUILD_REGISTRY_USERNAME: 'all', OCIBUILD_REGISTRY_PASSWORD: 'a' }
    const { find } = open(credentialKit(), variables, ['ghcr.io'])
    expect(await find('docker.io')).toBeUndefined()
    expect(await find('GHCR.io')).toBeDefined()
  })

  it('are refused when half of a pair is missing, without telling the other half', async () => {
    const error = await failure(
      open(credentialKit(), { OCIBUILD_REGISTRY_PASSWORD_GHCR_IO: 's3cret' }).find('ghcr.io'),
    )
    expect(error.code).toBe('OCB-USAGE-CREDENTIALS')
    expect(`${error.message} ${error.hint}`).toContain('OCIBUILD_REGISTRY_USERNAME_GHCR_IO')
    expect(`${error.message} ${error.hint}`).not.toContain('s3cret')
  })
})

describe('credentials from files', () => {
  it.each([
    ['docker.io', 'https://index.docker.io/v1/'],
    ['docker.io', 'docker.io'],
    ['registry-1.docker.io', 'index.docker.io'],
    ['ghcr.io', 'https://ghcr.io'],
    ['ghcr.io', 'ghcr.io/v2/'],
    ['localhost:5000', 'http://localhost:5000'],
  ])('are found for %s under the key %s', async (host, key) => {
    const kit = credentialKit()
    kit.write('home/.docker/config.json', { auths: { 'other.io': auth('x', 'x'), [key]: auth('me', 'a:b') } })
    expect(await open(kit).find(host)).toEqual({
      credential: { kind: 'basic', username: 'me', password: 'a:b' },
      origin: join(kit.folder, 'home/.docker/config.json'),
    })
  })

  it('may be identity tokens', async () => {
    const kit = credentialKit()
    kit.write('docker/config.json', { auths: { 'a.io': { auth: auth('u', '').auth, identitytoken: 'tok' } } })
    const { find } = open(kit, { DOCKER_CONFIG: join(kit.folder, 'docker') })
    expect((await find('a.io'))?.credential).toEqual({ kind: 'identity-token', token: 'tok' })
  })

  it("are taken from podman's files where Docker's has none, the most specific namespace first", async () => {
    const kit = credentialKit()
    kit.write('home/.docker/config.json', { auths: { 'quay.io': {} } })
    kit.write('run/containers/auth.json', {
      auths: {
        'quay.io': auth('host', '1'),
        'quay.io/team': auth('team', '2'),
        'quay.io/team/app': auth('app', '3'),
      },
    })
    const { find } = open(kit, { XDG_RUNTIME_DIR: join(kit.folder, 'run') })
    const user = async (repository?: string): Promise<unknown> =>
      (await find('quay.io', repository))?.credential
    expect(await user()).toMatchObject({ username: 'host' })
    expect(await user('team/other')).toMatchObject({ username: 'team' })
    expect(await user('team/app')).toMatchObject({ username: 'app' })
    expect(await user('teams/app')).toMatchObject({ username: 'host' })
  })

  it('of a variable come before those that merely lie there', async () => {
    const kit = credentialKit()
    kit.write('home/.docker/config.json', { auths: { 'a.io': auth('docker', '1') } })
    const file = kit.write('mine.json', { auths: { 'a.io': auth('podman', '2') } })
    expect((await open(kit, { REGISTRY_AUTH_FILE: file }).find('a.io'))?.origin).toBe(file)
  })

  it('are never quoted when a file is broken', async () => {
    const kit = credentialKit()
    kit.write('home/.docker/config.json', '{"auths": {"a.io": {"auth": "c2VjcmV0OnNlY3JldA=="')
    const broken = await failure(open(kit).find('a.io'))
    expect(broken.code).toBe('OCB-REGISTRY-CREDENTIALS')
    expect(JSON.stringify([broken.message, String(broken.cause)])).not.toContain('c2VjcmV0')
    kit.write('home/.docker/config.json', { auths: { 'a.io': { auth: 'bm9jb2xvbg==' } } })
    const odd = await failure(open(kit).find('a.io'))
    expect(odd.message).toContain('auths["a.io"].auth')
    expect(odd.message).not.toMatch(/bm9j|nocolon/)
  })
})

describe('credential helpers', () => {
  it('are asked for the host through stdin, its own before the one for all', async () => {
    const kit = credentialKit()
    kit.installHelper('own')
    kit.installHelper('all')
    kit.write('own.json', { 'gcr.io': { Username: 'u', Secret: 'p' } })
    kit.write('all.json', { 'https://index.docker.io/v1/': { Username: '<token>', Secret: 't' } })
    kit.write('home/.docker/config.json', { credsStore: 'all', credHelpers: { 'gcr.io': 'own' } })
    const { find } = open(kit)
    expect(await find('gcr.io')).toEqual({
      credential: { kind: 'basic', username: 'u', password: 'p' },
      origin: `docker-credential-own (credHelpers["gcr.io"] of ${join(kit.folder, 'home/.docker/config.json')})`,
    })
    expect((await find('docker.io'))?.credential).toEqual({ kind: 'identity-token', token: 't' })
    expect(await find('nobody.io')).toBeUndefined()
    expect(readFileSync(join(kit.folder, 'all.argv'), 'utf8')).toBe('get\nget\n')
  })

  it('store, and forget', async () => {
    const kit = credentialKit()
    kit.installHelper('all')
    kit.write('home/.docker/config.json', { credsStore: 'all', HttpHeaders: { a: 'b' } })
    const { save, find, remove } = open(kit)
    expect(await save('a.io', { kind: 'basic', username: 'u', password: 'p' })).toContain(
      'docker-credential-all',
    )
    expect((await find('a.io'))?.credential).toMatchObject({ password: 'p' })
    expect(kit.readJson('home/.docker/config.json')).toEqual({ credsStore: 'all', HttpHeaders: { a: 'b' } })
    expect(await remove('a.io')).toBe(true)
    expect(await remove('a.io')).toBe(false)
    expect(await find('a.io')).toBeUndefined()
    expect(readFileSync(join(kit.folder, 'all.argv'), 'utf8')).not.toMatch(/u|p/)
  })

  it('that fail are an error that quotes nothing of a secret', async () => {
    const kit = credentialKit()
    kit.installHelper('bad', '#!/bin/sh\ncat\necho locked >&2\nexit 3\n')
    kit.write('home/.docker/config.json', { credHelpers: { 'a.io': 'bad' } })
    const { find, save } = open(kit)
    const got = await failure(find('a.io'))
    expect(got.code).toBe('OCB-REGISTRY-CREDENTIAL-HELPER')
    expect(got.message).toContain('exit code 3')
    expect(got.message).toContain('locked')
    const stored = await failure(save('a.io', { kind: 'basic', username: 'u', password: 's3cret' }))
    expect(stored.message).not.toContain('s3cret')
  })

  it('that are not installed fail for the host that names them, and are warned of otherwise', async () => {
    const kit = credentialKit()
    kit.write('home/.docker/config.json', {
      credsStore: 'desktop',
      credHelpers: { 'a.io': 'gone' },
      auths: { 'b.io': auth('u', 'p') },
    })
    const { find, warnings } = open(kit)
    expect((await failure(find('a.io'))).message).toContain('docker-credential-gone is not installed')
    expect((await find('b.io'))?.credential).toMatchObject({ username: 'u' })
    expect(warnings).toEqual(['OCB-CREDENTIAL-HELPER-MISSING'])
  })

  it('have names, and never paths', async () => {
    const kit = credentialKit()
    kit.write('home/.docker/config.json', { credsStore: '../../bin/sh' })
    expect((await failure(open(kit).find('a.io'))).code).toBe('OCB-REGISTRY-CREDENTIAL-HELPER')
  })
})

describe('a file that is written', () => {
  it('is for its owner alone, and keeps all that it had', async () => {
    const kit = credentialKit()
    const before = {
      auths: { 'b.io': auth('b', 'b'), 'https://a.io': auth('old', 'o') },
      psFormat: 'x',
      proxies: { d: 1 },
    }
    const path = kit.write('home/.docker/config.json', before)
    const { save, find, remove } = open(kit)
    expect(await save('a.io', { kind: 'basic', username: 'u', password: 'pässword' })).toBe(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(kit.readJson('home/.docker/config.json')).toEqual({
      ...before,
      auths: { 'b.io': auth('b', 'b'), 'a.io': auth('u', 'pässword') },
    })
    expect((await find('a.io'))?.credential).toEqual({ kind: 'basic', username: 'u', password: 'pässword' })
    expect(await remove('a.io')).toBe(true)
    expect(kit.readJson('home/.docker/config.json')).toMatchObject({ auths: { 'b.io': auth('b', 'b') } })
    expect(await remove('a.io')).toBe(false)
  })

  it('is made with its folder, and identity tokens come back as such', async () => {
    const kit = credentialKit()
    const { save, find } = open(kit)
    await save('docker.io', { kind: 'identity-token', token: 't' })
    expect(kit.readJson('home/.docker/config.json')).toMatchObject({
      auths: { 'https://index.docker.io/v1/': { identitytoken: 't' } },
    })
    expect((await find('docker.io'))?.credential).toEqual({ kind: 'identity-token', token: 't' })
  })

  it('stays a symlink where it is one', async () => {
    const kit = credentialKit()
    const real = kit.write('dotfiles/config.json', { auths: {} })
    mkdirSync(join(kit.folder, 'home/.docker'), { recursive: true })
    const link = join(kit.folder, 'home/.docker/config.json')
    symlinkSync(real, link)
    await open(kit).save('a.io', { kind: 'basic', username: 'u', password: 'p' })
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(real, 'utf8')).toContain('a.io')
  })
})

describeWithPeers('files of credentials', ['skopeo'], ({ skopeo }) => {
  it('that we write are read by skopeo', async () => {
    const kit = credentialKit()
    const path = await open(kit).save('a.io', { kind: 'basic', username: 'somebody', password: 'p' })
    const login = execFileSync(skopeo, ['login', '--get-login', '--authfile', path, 'a.io'], {
      encoding: 'utf8',
    })
    expect(login.trim()).toBe('somebody')
  })
})
