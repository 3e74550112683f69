/** What npm's settings say of registries: `.npmrc` of project, user and machine, and npm_config_ variables over them. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Environment } from '../../environment.ts'
import { messageOf, OciBuildError, systemErrorCode } from '../../errors.ts'

export interface NpmSettings {
  /** The value of a setting, the strongest place first. */
  get(key: string): string | undefined
  /** All values of a list (`ca[]`). */
  list(key: string): readonly string[]
  /** Absolute: npm's cache. */
  readonly cacheDir: string
  /** Ends in `/`. Asks npm for its own where no setting names one. Throws `OCB-NODE-NPMRC`. */
  registryOf(name: string): string
  /** npm's own registry. Throws `OCB-NODE-NPMRC`. */
  ownRegistry(): string
}

/** `root` is the project's, absolute. Throws `OCB-NODE-NPMRC` for a file that cannot be read. */
export function readNpmSettings(root: string, environment: Environment): NpmSettings {
  const { homeDir, hostPlatform, node, variables } = environment
  const ofVariables = fromVariables(variables)
  const first = (key: string): string | undefined => ofVariables.get(key)?.at(-1)
  const project = readRc(join(root, '.npmrc'), variables)
  const user = readRc(first('userconfig') ?? join(homeDir, '.npmrc'), variables)
  const folder = dirname(node.execPath)
  const prefix = first('prefix') ?? (hostPlatform === 'win32' ? folder : dirname(folder))
  const machine = readRc(first('globalconfig') ?? join(prefix, 'etc', 'npmrc'), variables)
  const places = [ofVariables, project, user, machine]
  const list = (key: string): readonly string[] => places.find((place) => place.has(key))?.get(key) ?? []
  const get = (key: string): string | undefined => list(key).at(-1)
  let own: string | undefined
  const ownRegistry = (): string => (own ??= withSlash(askNpm(environment)))
  const local = variables['LOCALAPPDATA'] ?? join(homeDir, 'AppData', 'Local')
  const usual = hostPlatform === 'win32' ? join(local, 'npm-cache') : join(homeDir, '.npm')
  return {
    get,
    list,
    cacheDir: resolve(root, get('cache') ?? usual),
    ownRegistry,
    registryOf(name) {
      const scope = /^(@[^/]+)\//.exec(name)?.[1]
      const named = (scope === undefined ? undefined : get(`${scope}:registry`)) ?? get('registry')
      return named === undefined ? ownRegistry() : withSlash(named)
    },
  }
}

type Rc = Map<string, string[]>

/** `key = value` lines; `[]` after a key adds to a list, `${NAME}` is a variable (docs.npmjs.com, npmrc). */
function readRc(path: string, variables: Environment['variables']): Rc {
  const found: Rc = new Map()
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(systemErrorCode(error) ?? '')) return found
    throw new OciBuildError('OCB-NODE-NPMRC', {
      message: `cannot read ${path}: ${messageOf(error)}`,
      hint: 'make it readable for this user; it says which registry packages come from',
      cause: error,
    })
  }
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const [, name = '', value = ''] = /^\s*([^;#=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (name === '') continue
    const isList = name.endsWith('[]')
    const key = fill(isList ? name.slice(0, -2) : name, variables)
    const before = isList ? (found.get(key) ?? []) : []
    found.set(key, [...before, fill(unquoted(value), variables)])
  }
  return found
}

function unquoted(text: string): string {
  const inside = /^"(.*)"$|^'(.*)'$/.exec(text)
  return (inside?.[1] ?? inside?.[2] ?? text.replace(/\s[;#].*$/, '')).replaceAll('\\n', '\n')
}

/** A variable that is not set stays as it is written, and `${NAME?}` becomes nothing, as with npm. */
function fill(text: string, variables: Environment['variables']): string {
  return text.replaceAll(
    /(?<!\\)\$\{([^${}?]+)(\?)?\}/g,
    (whole, name: string, optional: string | undefined) =>
      variables[name] ?? (optional === undefined ? whole : ''),
  )
}

function fromVariables(variables: Environment['variables']): Rc {
  const found: Rc = new Map()
  for (const [name, value] of Object.entries(variables)) {
    const key = /^npm_config_(.+)$/i.exec(name)?.[1]
    if (key === undefined || value === undefined || value === '') continue
    // Keys of hosts hold a token's name, whose case counts.
    const plain = key.startsWith('//') ? key : key.replaceAll(/(?!^)_/g, '-').toLowerCase()
    found.set(plain, [value])
  }
  return found
}

/** npm's own registry: what it takes where no setting names one. */
function askNpm({ hostPlatform, tempDir, variables }: Environment): string {
  // npm refuses one file for both.
  const [user, machine] = ['user', 'global'].map((name) => join(tempDir, `ocibuild-no-such-${name}-npmrc`))
  const kept = Object.entries(variables).filter(([name]) => !/^npm_config_/i.test(name))
  const files = [`--userconfig=${user}`, `--globalconfig=${machine}`]
  const words = ['config', 'get', 'registry', '--no-update-notifier', ...files]
  let text: string
  try {
    text = execFileSync('npm', words, {
      cwd: tempDir,
      encoding: 'utf8',
      env: Object.fromEntries(kept),
      shell: hostPlatform === 'win32',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 60_000,
      windowsHide: true,
    }).trim()
  } catch (error) {
    throw unknownRegistry('npm, which was asked, did not answer', error)
  }
  if (!/^https?:\/\/\S+$/.test(text)) throw unknownRegistry(`npm answered ${JSON.stringify(text)}`, undefined)
  return text
}

function unknownRegistry(why: string, cause: unknown): OciBuildError {
  return new OciBuildError('OCB-NODE-NPMRC', {
    message: `packages must be fetched, and nothing names their registry: ${why}`,
    hint: 'set registry in .npmrc, or npm_config_registry',
    cause,
  })
}

function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`
}
