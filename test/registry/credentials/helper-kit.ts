/** Credential helpers and files for tests: a helper is a script that keeps what it was told in a folder. */

import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { processEnvironment, type Environment } from '../../../src/environment.ts'
import { temporaryFolder } from '../../helpers/unpack.ts'

export interface CredentialKit {
  readonly folder: string
  environment(variables?: Readonly<Record<string, string>>): Environment
  write(path: string, content: unknown): string
  readJson(path: string): unknown
  /** Installs `docker-credential-NAME`; its arguments are kept in `NAME.argv`, what it holds in `NAME.json`. */
  installHelper(name: string, script?: string): void
}

export function credentialKit(): CredentialKit {
  const folder = temporaryFolder()
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const write = (path: string, content: unknown): string => {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
    return file
  }
  return {
    folder,
    write,
    environment: (variables = {}) => ({
      ...processEnvironment(),
      variables: { PATH: `${join(folder, 'bin')}:${dirname(process.execPath)}:/usr/bin:/bin`, ...variables },
      cwd: folder,
      homeDir: join(folder, 'home'),
      hostPlatform: 'linux',
    }),
    readJson: (path) => {
      const value: unknown = JSON.parse(readFileSync(join(folder, path), 'utf8'))
      return value
    },
    installHelper(name, script = keepingHelper(folder, name)) {
      chmodSync(write(`bin/docker-credential-${name}`, script), 0o755)
    },
  }
}

function keepingHelper(folder: string, name: string): string {
  const store = JSON.stringify(join(folder, `${name}.json`))
  return `#!${process.execPath}
const fs = require('node:fs')
fs.appendFileSync(${JSON.stringify(join(folder, `${name}.argv`))}, process.argv.slice(2).join(' ') + '\\n')
const held = fs.existsSync(${store}) ? JSON.parse(fs.readFileSync(${store}, 'utf8')) : {}
const input = fs.readFileSync(0, 'utf8').trim()
const verb = process.argv[2]
if (verb === 'get') {
  if (held[input]) console.log(JSON.stringify({ ServerURL: input, ...held[input] }))
  else { console.log('credentials not found in native keychain'); process.exit(1) }
} else if (verb === 'store') {
  const { ServerURL, ...rest } = JSON.parse(input)
  fs.writeFileSync(${store}, JSON.stringify({ ...held, [ServerURL]: rest }))
} else if (verb === 'erase') {
  delete held[input]
  fs.writeFileSync(${store}, JSON.stringify(held))
}
`
}
