/** Plug'n'Play's own data: read, cut down to what an app needs, and written for the image. */

import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { detectProject } from '../../../src/node/project/detect-project.ts'
import { findPnpClosure, type PnpClosure } from '../../../src/node/plug-and-play/pnp-closure.ts'
import { locate } from '../../../src/node/plug-and-play/pnp-location.ts'
import { readYarnLock } from '../../../src/node/plug-and-play/yarn-lock.ts'
import { readPnpState } from '../../../src/node/plug-and-play/pnp-state.ts'
import { errorOf, makeProject, removeProjects, type Files } from '../project/project-kit.ts'

afterAll(removeProjects)

type Dependencies = readonly (readonly [string, string | null])[]
const hard = (location: string, dependencies: Dependencies): object => ({
  packageLocation: location,
  packageDependencies: dependencies,
  linkType: 'HARD',
})
const soft = (location: string, dependencies: Dependencies): object => ({
  ...hard(location, dependencies),
  linkType: 'SOFT',
})

const app: Dependencies = [
  ['app', 'workspace:.'],
  ['a', 'virtual:12#npm:1.0.0'],
  ['dev', 'npm:1.0.0'],
  ["it's", 'npm:1.0.0'],
]

const state = {
  dependencyTreeRoots: [{ name: 'app', reference: 'workspace:.' }],
  fallbackExclusionList: [['app', ['workspace:.']]],
  packageRegistryData: [
    [null, [[null, soft('./', [['app', 'workspace:.']])]]],
    ['app', [['workspace:.', soft('./', app)]]],
    [
      'a',
      [
        [
          'virtual:12#npm:1.0.0',
          hard('./.yarn/__virtual__/a-virtual-12/0/cache/a.zip/node_modules/a/', [
            ['native', 'npm:1.0.0'],
            ['other', 'npm:1.0.0'],
            ['peer', null],
          ]),
        ],
      ],
    ],
    ['dev', [['npm:1.0.0', hard('./.yarn/cache/dev.zip/node_modules/dev/', [])]]],
    ["it's", [['npm:1.0.0', hard("./.yarn/cache/it's.zip/node_modules/it's/", [])]]],
    ['native', [['npm:1.0.0', hard('./.yarn/unplugged/native-1/node_modules/native/', [])]]],
    ['other', [['npm:1.0.0', hard('./.yarn/unplugged/other-1/node_modules/other/', [])]]],
  ],
} as const

/** As Yarn writes it: JSON in single quotes, a backslash before each line's end. */
function program(data: object): string {
  const text = JSON.stringify(data, undefined, 2).replace(/[\\']/g, '\\$&').replaceAll('\n', '\\\n')
  return `#!/usr/bin/env node\n"use strict";\n\nconst RAW_RUNTIME_STATE =\n'${text}';\n\nexports.data = JSON.parse(RAW_RUNTIME_STATE)\n`
}

const files = {
  'package.json': { name: 'app', dependencies: { a: '1', "it's": '1' }, devDependencies: { dev: '1' } },
  'yarn.lock': `"other@npm:1.0.0":
  version: 1.0.0
  resolution: "other@npm:1.0.0"
  conditions: os=darwin & (cpu=x64 | cpu=arm64)

"a@npm:^1.0.0":
  version: 1.0.0
  resolution: "a@npm:1.0.0"
  bin:
    a-tool: ./cli.js
`,
  '.pnp.cjs': program(state),
  '.yarn/cache/a.zip': 'a',
  '.yarn/cache/dev.zip': 'dev',
  ".yarn/cache/it's.zip": 'it',
  '.yarn/unplugged/native-1/node_modules/native/package.json': { name: 'native', os: ['linux'] },
} satisfies Files

async function closureOf(more: Files, os = 'linux'): Promise<PnpClosure> {
  const project = await detectProject(makeProject({ ...files, ...more }), undefined)
  const target = { platform: { os, architecture: 'amd64' }, libc: undefined }
  return findPnpClosure(project, readPnpState(project.root), await readYarnLock(project.root), target)
}

const names = (closure: PnpClosure): readonly string[] => closure.packages.map(({ item }) => item.name ?? '')

describe('the closure', () => {
  it('has neither devDependencies nor what is for another system', async () => {
    const closure = await closureOf({})
    expect(names(closure)).toEqual(['a', "it's", 'native'])
    expect(closure.leftOut.map(({ name }) => name)).toEqual(['other'])
    expect(names(await closureOf({}, 'freebsd'))).toEqual(['a', "it's"])
  })

  it('misses what was not unplugged, where it is for all systems', async () => {
    const error = await errorOf(() => closureOf({ 'yarn.lock': '' }))
    expect(error.code).toBe('OCB-NODE-NOT-INSTALLED')
    expect(error.message).toContain('other-1')
  })

  it('misses what is for the system of the image', async () => {
    const error = await errorOf(() => closureOf({}, 'darwin'))
    expect(error.code).toBe('OCB-NODE-NOT-INSTALLED')
    expect(error.message).toContain('other is for darwin/amd64, and is not in ')
    expect(error.hint).toContain('supportedArchitectures')
  })

  it('tells the commands and systems of packages', async () => {
    const project = await detectProject(makeProject(files), undefined)
    const lock = await readYarnLock(project.root)
    const found = readPnpState(project.root).packages.map((item) => lock.find(item))
    expect(found.flatMap((item) => (item === undefined ? [] : Object.entries(item.bin)))).toEqual([
      ['a-tool', './cli.js'],
    ])
    expect(found.flatMap((item) => item?.system ?? [])).toMatchObject([
      { name: 'other', os: ['darwin'], cpu: ['x64', 'arm64'], libc: [] },
    ])
  })

  it('names what is not there, and what lies outside', async () => {
    const data = { ...state, packageRegistryData: state.packageRegistryData.slice(0, 2) }
    const gone = [
      ...data.packageRegistryData,
      ['a', [['virtual:12#npm:1.0.0', hard('./.yarn/cache/gone.zip/node_modules/a/', [])]]],
    ]
    const missing = { '.pnp.cjs': program({ ...data, packageRegistryData: gone }) }
    const error = await errorOf(() => closureOf(missing))
    expect(error.code).toBe('OCB-NODE-NOT-INSTALLED')
    expect(error.message).toContain(join('.yarn', 'cache', 'gone.zip'))
    const away = [...data.packageRegistryData, ['a', [['virtual:12#npm:1.0.0', soft('../elsewhere/', [])]]]]
    const outside = { '.pnp.cjs': program({ ...data, packageRegistryData: away }) }
    expect((await errorOf(() => closureOf(outside))).code).toBe('OCB-NODE-LINK-OUTSIDE')
  })
})

describe('.pnp.cjs', () => {
  it('is written with the packages that ship, and is a program still', async () => {
    const project = await detectProject(makeProject(files), undefined)
    const read = readPnpState(project.root)
    const target = { platform: { os: 'linux', architecture: 'amd64' }, libc: undefined }
    const written = read.format(findPnpClosure(project, read, await readYarnLock(project.root), target).told)
    expect([...written.keys()]).toEqual(['.pnp.cjs'])
    const text = new TextDecoder().decode(written.get('.pnp.cjs'))
    const made = { data: {} as Partial<typeof state> }
    new Function('exports', text.replace(/^#!.*/, ''))(made)
    expect(made.data.packageRegistryData?.map(([name]) => name)).toEqual([
      null,
      'app',
      'a',
      "it's",
      'native',
      'other',
    ])
    expect(JSON.stringify(made.data)).not.toContain('dev.zip')
  })

  it('is read with its data beside it', async () => {
    const root = makeProject({ ...files, '.pnp.cjs': 'no data', '.pnp.data.json': state })
    const read = readPnpState(root)
    expect([...read.format(read.packages).keys()]).toEqual(['.pnp.cjs', '.pnp.data.json'])
  })

  it.each(['hydrateRuntimeState({})', `const RAW_RUNTIME_STATE =\n'{';`, program({}), program([])])(
    'is refused where it is %j',
    async (text) => {
      const error = await errorOf(() => readPnpState(makeProject({ '.pnp.cjs': text })))
      expect(error.code).toBe('OCB-NODE-PNP')
    },
  )
})

describe('a location', () => {
  it.each([
    ['./.yarn/cache/a.zip/node_modules/a/', './.yarn/cache/a.zip/node_modules/a/', '.yarn/cache/a.zip'],
    ['../home/cache/a.zip/node_modules/a/', './.yarn/cache/a.zip/node_modules/a/', '.yarn/cache/a.zip'],
    [
      './.yarn/__virtual__/a-virtual-1/2/home/a.zip/node_modules/a/',
      './.yarn/__virtual__/a-virtual-1/0/cache/a.zip/node_modules/a/',
      '.yarn/cache/a.zip',
    ],
    [
      './.yarn/__virtual__/b-virtual-1/1/packages/b/',
      './.yarn/__virtual__/b-virtual-1/1/packages/b/',
      'packages/b',
    ],
  ])('%s is found in the image', (location, own, imagePath) => {
    expect(locate('/project', location)).toMatchObject({ location: own, imagePath })
  })
})
