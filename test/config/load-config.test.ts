/** Finding and reading config files in every format. */

import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join, sep } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configNames, loadConfig } from '../../src/config/load-config.ts'
import { environmentWith, errorOf, folderWith, only, resolveFolder } from './helpers.ts'

const load = (cwd: string, config?: string): ReturnType<typeof loadConfig> =>
  loadConfig({ cwd, config, args: { color: 'red' }, environment: environmentWith({ MODE: 'test' }) })

describe('what loading leaves behind', () => {
  // No "type": "module": every Node.js has it compiled.
  const files = { 'oci.config.ts': 'export default { name: "x" as string }', 'node_modules/a/b': '' }

  it('is nothing in node_modules, which is copied into images', async () => {
    const folder = folderWith(files)
    expect(await loadConfig({ cwd: folder, environment: environmentWith() })).toMatchObject({
      value: { name: 'x' },
    })
    expect(readdirSync(folder, { recursive: true }).map(String).toSorted()).toEqual(
      ['node_modules', join('node_modules', 'a'), join('node_modules', 'a', 'b'), 'oci.config.ts'].toSorted(),
    )
  })

  it('is what it compiled, where it is told to keep that', async () => {
    const folder = folderWith(files)
    const compiledDir = join(folder, 'kept')
    for (const _ of ['cold', 'warm']) {
      const { value } = await loadConfig({ cwd: folder, compiledDir, environment: environmentWith() })
      expect(value).toEqual({ name: 'x' })
    }
    expect(readdirSync(compiledDir)).toHaveLength(1)
    expect(readdirSync(join(folder, 'node_modules'))).toEqual(['a'])
  })

  it('is compiled again where a text is another, also one that is imported, whatever the times say', async () => {
    const more = (size: string): string => `export const size: string = '${size}'`
    const text = (tag: string): string =>
      `import { size } from './more'\nexport default { name: '${tag}', tags: [size as string] }`
    const folder = folderWith({ 'oci.config.ts': text('a'), 'more.ts': more('x') })
    const compiledDir = join(folder, 'kept')
    const put = (name: string, bytes: string): void => {
      writeFileSync(join(folder, name), bytes)
      utimesSync(join(folder, name), 1_700_000_000, 1_700_000_000)
    }
    const loaded = async (): Promise<unknown> =>
      (await loadConfig({ cwd: folder, compiledDir, environment: environmentWith() })).value
    put('oci.config.ts', text('a'))
    put('more.ts', more('x'))
    expect(await loaded()).toEqual({ name: 'a', tags: ['x'] })
    put('more.ts', more('y'))
    expect(await loaded()).toEqual({ name: 'a', tags: ['y'] })
    put('oci.config.ts', text('b'))
    expect(await loaded()).toEqual({ name: 'b', tags: ['y'] })
    put('oci.config.ts', text('a'))
    put('more.ts', more('x'))
    expect(await loaded()).toEqual({ name: 'a', tags: ['x'] })
  })

  it('needs no more than a folder to be told', async () => {
    const { value, file } = await loadConfig({ cwd: folderWith({ 'oci.config.json': '{"name":"x"}' }) })
    expect({ value, file }).toEqual({
      value: { name: 'x' },
      file: expect.stringMatching(/oci\.config\.json$/),
    })
  })
})

describe('finding a config file', () => {
  it('takes the first name in the order of the contract', async () => {
    const texts: Readonly<Record<string, string>> = {
      '.cjs': 'module.exports = { name: "cjs" }',
      '.json': '{"name":"json"}',
      '.yaml': 'name: yaml',
      '.yml': 'name: yml',
    }
    const folder = folderWith({})
    for (const name of configNames.toReversed()) {
      const extension = name.slice('oci.config'.length)
      writeFileSync(
        join(folder, name),
        texts[extension] ?? `export default { name: '${extension.slice(1)}' }`,
      )
      const { file, value } = await load(folder)
      expect(file).toBe(join(folder, name))
      expect(value).toEqual({ name: extension.slice(1) })
    }
    expect(configNames[0]).toBe('oci.config.ts')
  })

  it('takes a named file, and its folder as the place that host paths start from', async () => {
    const folder = folderWith({
      'oci.config.ts': 'export default {}',
      'deploy/web.yaml': 'name: web\nroot: ..',
    })
    const image = only(await resolveFolder(folder, { config: 'deploy/web.yaml' }))
    expect(image).toMatchObject({ name: 'web', root: folder })
  })

  it('says what it looked for and what to do', async () => {
    const error = await errorOf(load(folderWith({})))
    expect(error).toMatchObject({
      code: 'OCB-USAGE-NO-CONFIG',
      hint: 'run ocibuild init to write one, or name one with --config',
    })
    for (const name of configNames) expect(error.message).toContain(name)
    expect(error.message).toContain('package.json')
  })

  it('takes a package.json alone for a Node.js project with nothing to add', async () => {
    const folder = folderWith({ 'package.json': '{}' })
    expect(await load(folder)).toMatchObject({ file: undefined, folder, value: { node: true } })
    writeFileSync(join(folder, 'oci.config.json'), '{"name":"x"}')
    expect((await load(folder)).value).toEqual({ name: 'x' })
  })

  it('passes over a folder of that name, and refuses a file that is not there', async () => {
    const folder = folderWith({ 'oci.config.json': '{"name":"x"}' })
    mkdirSync(join(folder, 'oci.config.ts'))
    expect((await load(folder)).file).toBe(join(folder, 'oci.config.json'))
    expect(await errorOf(load(folder, 'nope.ts'))).toMatchObject({
      code: 'OCB-USAGE-NO-CONFIG',
      message: `there is no config file ${folder}/nope.ts`,
    })
    expect(await errorOf(load(folder, 'package.toml'))).toMatchObject({ code: 'OCB-USAGE-NO-CONFIG' })
  })

  it('says where a spec belongs that was handed over in place of a name', async () => {
    const options: Parameters<typeof loadConfig>[0] = JSON.parse('{"config":{"name":"x"}}')
    const error = await errorOf(loadConfig({ ...options, cwd: folderWith({}) }))
    expect(error).toMatchObject({ code: 'OCB-USAGE-NO-CONFIG', hint: 'hand a spec over as spec' })
    expect(error.message).toContain('type object')
  })
})

describe('TypeScript and JavaScript', () => {
  it.each(['oci.config.ts', 'oci.config.mts', 'oci.config.js', 'oci.config.mjs'])(
    'import ocibuild in %s where it is not installed',
    async (name) => {
      const text = `import { defineConfig, semverTags } from 'ocibuild'\nexport default defineConfig({ tags: semverTags('1.2.3') })`
      const { value } = await load(folderWith({ [name]: text, 'package.json': '{"type":"module"}' }))
      expect(value).toEqual({ tags: ['1.2.3', '1.2', '1'] })
    },
  )

  it.each(['{}', '{"type":"commonjs"}', '{"type":"module"}'])(
    'may be ES modules in a package of %s',
    async (json) => {
      for (const name of ['oci.config.ts', 'oci.config.js']) {
        const folder = folderWith({
          [name]: `import { sep } from 'node:path'\nexport default { name: sep }`,
          'package.json': json,
        })
        expect((await load(folder)).value).toEqual({ name: sep })
      }
    },
  )

  it('may be ES modules that use words of CommonJS, as compilers allow', async () => {
    const text = `import { basename } from 'node:path'\nexport default () => ({ name: basename(__dirname) as string })`
    const folder = folderWith({ 'oci.config.ts': text, 'package.json': '{}' })
    expect((await load(folder)).value).toEqual({ name: basename(folder) })
  })

  it('are read anew in one process, in TypeScript', async () => {
    for (const json of ['{}', '{"type":"module"}']) {
      const folder = folderWith({ 'package.json': json })
      for (const name of ['one', 'two', 'three']) {
        for (const file of ['oci.config.ts', 'oci.config.mts']) {
          writeFileSync(join(folder, file), `export default { name: '${name}' }`)
          expect((await load(folder, file)).value).toEqual({ name })
        }
      }
    }
  })

  it('may be CommonJS', async () => {
    const text = `const { defineConfig } = require('ocibuild')\nmodule.exports = defineConfig({ name: 'x' })`
    expect((await load(folderWith({ 'oci.config.cjs': text }))).value).toEqual({ name: 'x' })
  })

  it('import other files without extension, enums included', async () => {
    const folder = folderWith({
      'oci.config.ts': `import { Color } from './color'\nconst name: string = Color.Red\nexport default { name }`,
      'color.ts': `export enum Color { Red = 'red' }`,
    })
    expect((await load(folder)).value).toEqual({ name: 'red' })
  })

  it('may be async functions of env, args, git and package.json', async () => {
    const text = `export default async ({ env, args, git, packageJson }) => ({
      name: [env.MODE, args.color, String(git.commit), packageJson.version].join('-'),
    })`
    const folder = folderWith({ 'oci.config.mjs': text, 'package.json': '{"version":"2.0.0"}' })
    expect((await load(folder)).value).toEqual({ name: 'test-red-undefined-2.0.0' })
  })

  it('are not interpolated', async () => {
    const folder = folderWith({
      'oci.config.mjs': "export default { config: { cmd: ['sh', '-c', 'echo ${HOME}'] } }",
    })
    expect(only(await resolveFolder(folder)).config.cmd).toEqual(['sh', '-c', 'echo ${HOME}'])
  })

  it.each([
    ['throws', 'throw new Error("kaput")', 'kaput'],
    ['has a syntax error', 'export default {', 'cannot run'],
    ['imports what is missing', "import 'no-such-package-here'\nexport default {}", 'no-such-package-here'],
    ['exports nothing', 'export const a = 1', 'has no default export'],
    ['exports a function that throws', 'export default () => { throw new Error("kaput") }', 'kaput'],
  ])('say what is wrong when the file %s', async (_title, text, message) => {
    for (const name of ['oci.config.ts', 'oci.config.mjs']) {
      const folder = folderWith({ [name]: text })
      const error = await errorOf(load(folder))
      expect(error.code).toBe('OCB-SPEC-LOAD')
      expect(error.message).toContain(message)
      expect(error.message).toContain(join(folder, name))
    }
  })
})

describe('YAML and JSON', () => {
  it('tell where they cannot be parsed', async () => {
    const yaml = await errorOf(load(folderWith({ 'oci.config.yaml': 'name: x\ntags: [a\nbase: y\n' })))
    expect(yaml.code).toBe('OCB-SPEC-PARSE')
    expect(yaml.problems[0]?.line).toBeGreaterThan(1)
    const folder = folderWith({ 'oci.config.json': '{\n  "name": "x",\n}' })
    const json = await errorOf(load(folder))
    expect(json.message).toContain(`${folder}/oci.config.json:3:1 is not JSON`)
  })

  it('refuse a key that stands twice', async () => {
    const error = await errorOf(load(folderWith({ 'oci.config.yaml': 'name: x\nname: y\n' })))
    expect(error.problems).toMatchObject([{ line: 2, column: 1 }])
  })

  it('may be empty, which is told', async () => {
    const error = await errorOf(resolveFolder(folderWith({ 'oci.config.yaml': '# nothing yet\n' })))
    expect(error.problems).toMatchObject([{ path: '', message: 'found nothing, wanted an object' }])
  })

  it('may begin with a byte order mark', async () => {
    expect((await load(folderWith({ 'oci.config.json': '\uFEFF{"name":"x"}' }))).value).toEqual({ name: 'x' })
  })

  it('read a broken package.json with its path in the error', async () => {
    const folder = folderWith({ 'oci.config.json': '{}', 'package.json': '{' })
    const error = await errorOf(load(folder))
    expect(error).toMatchObject({ code: 'OCB-SPEC-PACKAGE-JSON' })
    expect(error.message).toContain(join(folder, 'package.json'))
  })
})
