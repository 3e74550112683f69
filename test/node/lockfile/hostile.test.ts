/** Archives and lockfiles that somebody made to do harm, or by mistake. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPlan } from '../../../src/build.ts'
import { processEnvironment } from '../../../src/environment.ts'
import type { HandMadeEntry } from '../../helpers/hand-made-tar.ts'
import { errorOf, makeProject, removeProjects } from '../project/project-kit.ts'
import { integrityOf, packageArchive, packageLock } from './hand-made.ts'
import { entriesOf } from './lock-kit.ts'
import { servePackages, type PackageRegistry } from './package-registry.ts'

let registry: PackageRegistry
const home = makeProject({})
const cacheDir = join(makeProject({}), 'cache')

beforeAll(async () => {
  registry = await servePackages()
})

afterAll(async () => {
  await registry.close()
  removeProjects()
})

const json = (words: object): HandMadeEntry => ({ name: 'package.json', content: JSON.stringify(words) })
const plainWords = { name: 'a', version: '1.0.0' }

/** What the dependency layer holds when package a is this archive. */
async function entriesWith(
  archive: Buffer,
  more: object = {},
  packages: object = {},
): Promise<readonly string[]> {
  registry.put('/a/-/a-1.0.0.tgz', archive)
  const words = { name: 'app', main: 'index.js', dependencies: { a: '1' } }
  const a = { version: '1.0.0', integrity: integrityOf(archive), ...more }
  const root = makeProject({
    'package.json': words,
    'index.js': '',
    'package-lock.json': packageLock(words, { 'node_modules/a': a, ...packages }),
    '.npmrc': `registry=${registry.origin}`,
  })
  const environment = { ...processEnvironment(), variables: {}, homeDir: home }
  const spec = { name: 'app', base: 'scratch', created: 'epoch', node: { dependencies: 'lockfile' } }
  return entriesOf(await createPlan({ cwd: root, cacheDir, environment, spec }), 'dependencies')
}

describe('an archive', () => {
  it.each<[string, readonly HandMadeEntry[], string, RegExp]>([
    [
      'that leaves its folder',
      [{ name: '../../x' }],
      'OCB-ARCHIVE-UNSAFE',
      /^a@1\.0\.0: entry .*contains "\.\."/,
    ],
    [
      'with a name that is no UTF-8',
      [{ name: Buffer.from('\u00e9', 'latin1') }],
      'OCB-ARCHIVE-UNSAFE',
      /not UTF-8/,
    ],
    ['with a name that deletes', [{ name: '.wh.index.js' }], 'OCB-NAME-WHITEOUT', /\.wh\.index\.js/],
  ])('%s is refused', async (_, entries, code, message) => {
    const error = await errorOf(() => entriesWith(packageArchive([json(plainWords), ...entries])))
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)])
  })

  it('that is cut is refused, and nothing of it is kept', async () => {
    const error = await errorOf(() => entriesWith(packageArchive([json(plainWords)]).subarray(0, 60)))
    expect(error.code).toMatch(/^OCB-(?:COMPRESSION|ARCHIVE)-DAMAGED$/)
    const hex = Buffer.from(
      integrityOf(packageArchive([json(plainWords)]).subarray(0, 60)).slice(7),
      'base64',
    )
    expect(existsSync(join(cacheDir, 'packages', `sha512-${hex.toString('hex')}`))).toBe(false)
  })

  it('may hold links and devices, which no install makes', async () => {
    const entries = await entriesWith(
      packageArchive([
        json(plainWords),
        { name: 'passwd', flag: '2', link: '/etc/passwd' },
        { name: 'hard', flag: '1', link: 'package/package.json' },
        { name: 'null', flag: '3' },
        { name: '/etc/absolute', content: 'x' },
      ]),
    )
    expect(entries.filter((line) => line.startsWith('file') || line.startsWith('symlink'))).toEqual([
      'file 0644 /app/node_modules/a/etc/absolute 1',
      'file 0644 /app/node_modules/a/package.json 30',
    ])
  })
})

describe('a lockfile', () => {
  const archive = packageArchive([json(plainWords), { name: 'cli.js' }])

  it.each(['node_modules/../../x', 'node_modules//x', './node_modules/x'])(
    'with the place %s is refused',
    async (path) => {
      const error = await errorOf(() => entriesWith(archive, {}, { [path]: { version: '1.0.0' } }))
      expect(error).toMatchObject({ code: 'OCB-NODE-LOCKFILE-UNREADABLE' })
      expect(error.message).toContain(`packages["${path}"] is no path`)
    },
  )

  it('makes no commands outside of .bin or the package', async () => {
    const bin = {
      '../../up': 'cli.js',
      '..': 'cli.js',
      '.wh.x': 'cli.js',
      out: '../../../cli.js',
      gone: 'gone.js',
    }
    const entries = await entriesWith(archive, { bin })
    expect(entries.filter((line) => line.startsWith('symlink'))).toEqual([
      'symlink 0777 /app/node_modules/.bin/out 0 -> ../a/cli.js',
      'symlink 0777 /app/node_modules/.bin/up 0 -> ../a/cli.js',
    ])
  })
})
