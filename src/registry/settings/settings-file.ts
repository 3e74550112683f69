/** The user's own settings of registries: `$OCIBUILD_CONFIG`, else `ocibuild/registries.yaml` in the config folder. */

import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Environment } from '../../environment.ts'
import { messageOf, OciBuildError, systemErrorCode, type Problem } from '../../errors.ts'
import { readRegistriesWords, type RegistriesWords } from './registry-words.ts'

export interface SettingsFile {
  /** What paths in it are relative to; absolute. */
  readonly folder: string
  readonly path: string
  readonly registries: RegistriesWords
}

/** The folder of the user's settings, of every tool: `$XDG_CONFIG_HOME`, Application Support, `%APPDATA%`. */
export function userConfigDir({ variables, homeDir, hostPlatform }: Environment): string {
  if (hostPlatform === 'darwin') return join(homeDir, 'Library', 'Application Support')
  if (hostPlatform === 'win32') return variables['APPDATA'] || join(homeDir, 'AppData', 'Roaming')
  return variables['XDG_CONFIG_HOME'] || join(homeDir, '.config')
}

/**
 * Reads the user's file; undefined where there is none. The hosts stand under `registries`, as in a spec, or are the
 * whole document. Throws `OCB-SPEC-REGISTRIES` with every problem, also when the file of `$OCIBUILD_CONFIG` is missing.
 */
export async function readSettingsFile(environment: Environment): Promise<SettingsFile | undefined> {
  const named = environment.variables['OCIBUILD_CONFIG']
  const path = named
    ? resolve(environment.cwd, named)
    : join(userConfigDir(environment), 'ocibuild', 'registries.yaml')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (!named && ['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return undefined
    throw new OciBuildError('OCB-SPEC-REGISTRIES', {
      message: `cannot read the settings of registries in ${path}: ${messageOf(error)}`,
      hint: named
        ? 'let OCIBUILD_CONFIG name a file that can be read, or unset it'
        : 'make the file readable',
      cause: error,
    })
  }
  const value = await parse(path, text)
  const problems: Problem[] = []
  const wrapped = typeof value === 'object' && value !== null && 'registries' in value
  const registries = readRegistriesWords(wrapped ? value.registries : value, 'registries', problems)
  if (wrapped) {
    for (const key of Object.keys(value)) {
      if (key === 'registries' || key.startsWith('x-')) continue
      problems.push({ path: key, message: 'is not known; wanted registries' })
    }
  }
  if (problems.length > 0) throw invalidFile(path, problems)
  return { folder: dirname(path), path, registries }
}

async function parse(path: string, text: string): Promise<unknown> {
  const { LineCounter, parseDocument } = await import('yaml')
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const problems = document.errors.map((error): Problem => {
    const { line, col } = lines.linePos(error.pos[0])
    return { path: '', message: error.message, line: Math.max(line, 1), column: Math.max(col, 1) }
  })
  if (problems.length > 0) throw invalidFile(path, problems)
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 })
    return value
  } catch (error) {
    throw invalidFile(path, [{ path: '', message: messageOf(error) }])
  }
}

function invalidFile(path: string, problems: readonly Problem[]): OciBuildError {
  return new OciBuildError('OCB-SPEC-REGISTRIES', {
    message: `the settings of registries in ${path} are wrong`,
    hint: 'write it like registries: { HOST: { mirrors: [], ca, clientCert, clientKey, insecure } }',
    problems: problems.map((problem) => ({ ...problem, file: path })),
  })
}
