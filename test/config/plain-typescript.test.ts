/** TypeScript that is JavaScript as it stands, and what is not. */

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createJiti } from 'jiti'
import { afterAll, describe, expect, it } from 'vitest'
import { defineConfig, semverTags } from '../../src/config/define-config.ts'
import { plainTypeScript } from '../../src/config/plain-typescript.ts'

const dir = mkdtempSync(join(tmpdir(), 'ocibuild-plain-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const path = join(dir, 'oci.config.ts')
const ocibuild = { defineConfig, semverTags }
const plain = (source: string): (() => Promise<unknown>) | undefined =>
  plainTypeScript(source, path, { ocibuild })

const taken: readonly (readonly [what: string, source: string])[] = [
  ['a bare export', 'export default { name: "x" }'],
  ['a helper', "import { defineConfig } from 'ocibuild'\nexport default defineConfig({ name: 'x' })\n"],
  ['names of its own', "import { semverTags as tags } from 'ocibuild';\n\nexport default tags('1.2.3')"],
  [
    'lists on several lines',
    "import {\n  defineConfig,\n  semverTags,\n} from 'ocibuild'\nexport default defineConfig(semverTags('2.0.0'))",
  ],
  [
    'modules of Node.js',
    "import { join } from 'node:path'\nimport os from 'node:os'\nexport default [join('a', 'b'), os.EOL]",
  ],
  [
    'comments and code before',
    "/** A config. */\n// more\nimport { EOL } from 'node:os' \nconst a = [EOL]\nfor (let i = 0; i < 3; i += 1) a.push(i)\nexport default {\n  a,\n}\n",
  ],
  ['await', 'const a = await Promise.resolve(1)\nexport default await Promise.resolve({ a })'],
  ['code behind the export', 'export default { a }\nvar a = 1'],
  [
    'lines that end as on Windows',
    "import { defineConfig } from 'ocibuild'\r\nexport default defineConfig({ a: `x\r\ny` })\r\n",
  ],
  ['a byte order mark', '\uFEFFexport default { a: 1 }'],
]

const refused: readonly (readonly [what: string, source: string])[] = [
  ['types', "const a: string = ''\nexport default { a }"],
  ['assertions', 'export default { a: 1 } as const'],
  ['enums', 'enum A { B }\nexport default { a: A.B }'],
  ['interfaces', 'interface A { b: string }\nexport default {}'],
  [
    'type arguments, which JavaScript takes for comparisons',
    'const f = (x) => x\nclass T {}\nexport default f<T>(1)',
  ],
  ['the same with spaces and types in them', 'const f = (x) => x, T = 1\nexport default f <Map<T, T>> (1)'],
  ['types that are imported', "import { type BuildSpec } from 'ocibuild'\nexport default {}"],
  ['names that ocibuild lacks', "import { BuildSpec } from 'ocibuild'\nexport default {}"],
  ['files', "import a from './a.ts'\nexport default a"],
  ['packages', "import a from 'picomatch'\nexport default a"],
  ['a namespace', "import * as os from 'node:os'\nexport default os.EOL"],
  ['import.meta', 'export default { a: import.meta.url }'],
  ['words of CommonJS', 'export default { a: __dirname }'],
  ['several exports', 'export const a = 1\nexport default { a }'],
  ['an exported function, which is a declaration', 'export default function () {}\n'],
  ['no export', 'const a = 1'],
  ['what cannot be parsed', 'export default {'],
]

describe('a TypeScript file', () => {
  it.each(taken)('with %s gives what the compiler makes of it', async (_, source) => {
    writeFileSync(path, source)
    const jiti = createJiti(import.meta.url, {
      fsCache: false,
      moduleCache: false,
      virtualModules: { ocibuild },
    })
    expect(await plain(source)?.()).toEqual(await jiti.import(path, { default: true }))
  })

  it.each(refused)('with %s is left to the compiler', (_, source) => {
    expect(plain(source)).toBeUndefined()
  })

  it('is plain in every example that is shipped', () => {
    const root = join(import.meta.dirname, '../..')
    const names = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' })
    const configs = names.filter((name) => name.endsWith('oci.config.ts') && !name.includes('node_modules'))
    expect(configs.length).toBeGreaterThan(3)
    for (const name of [...configs.map((config) => join('examples', config)), 'oci.config.example.ts'])
      expect(plain(readFileSync(join(root, name), 'utf8')), name).toBeDefined()
  })

  it('tells the line of what fails in it', async () => {
    const run = plain("import {\n  defineConfig,\n} from 'ocibuild'\n\nexport default defineConfig(missing)")
    const error: unknown = await run?.().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'ReferenceError', stack: expect.stringContaining(`${path}:5:`) })
  })
})
