import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { forTest } from '../helpers/registry/for-test.ts'
import { startRegistry } from '../helpers/registry/registry.ts'
import { compileCli, type CompiledCli } from '../helpers/compiled-cli.ts'
import { examplesFolder } from './build-example.ts'

let folder: string
let cli: CompiledCli

beforeAll(() => {
  cli = compileCli()
})
afterAll(() => cli.remove())

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocibuild-ci-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Every `npx ocibuild …` that stands anywhere in a pipeline, in its order. */
function commandsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.startsWith('npx ocibuild ') ? [value] : []
  if (Array.isArray(value)) return value.flatMap(commandsIn)
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(commandsIn) : []
}

function fill(command: string, variables: Readonly<Record<string, string>>): readonly string[] {
  const filled = Object.entries(variables).reduce(
    (text, [name, value]) => text.replaceAll(name, value),
    command,
  )
  expect(filled).not.toMatch(/\$/)
  return filled.replace(/^npx ocibuild /, '').split(' ')
}

const pipelines = [
  {
    file: 'github-actions.yml',
    platform: '${{ matrix.platform }}',
    name: '$NAME',
    commit: '${{ github.sha }}',
  },
  { file: 'gitlab-ci.yml', platform: '$PLATFORM', name: '$CI_REGISTRY_IMAGE', commit: '$CI_COMMIT_SHA' },
]

describe('the pipelines of examples/ci', () => {
  it.each(pipelines)(
    '$file merges what its jobs push at the same time',
    async ({ file, platform, name, commit }) => {
      const registry = await forTest(startRegistry())
      const commands = commandsIn(parse(readFileSync(join(examplesFolder, 'ci', file), 'utf8')))
      const [build = '', add = '', tag = ''] = commands
      expect(commands).toHaveLength(3)
      const image = `${registry.host}/team/app`
      const job = async (target: string): Promise<void> => {
        const cwd = join(folder, target.replaceAll('/', '-'))
        cpSync(join(examplesFolder, 'ci'), cwd, { recursive: true })
        const variables = { [platform]: target, [name]: image, [commit]: 'c0ffee' }
        // The Node.js of this machine is for one platform only.
        await cli.must([...fill(build, variables), '--arg', 'base=scratch'], { cwd })
        await cli.must(fill(add, variables), { cwd })
      }
      await Promise.all([job('linux/amd64'), job('linux/arm64')])
      await cli.must(fill(tag, { [name]: image, [commit]: 'c0ffee' }), { cwd: folder })
      const { stdout } = await cli.must(['manifest', `${image}:latest`], { cwd: folder })
      const index: {
        readonly manifests: readonly { readonly platform: { readonly architecture: string } }[]
      } = JSON.parse(stdout)
      expect(index.manifests.map((item) => item.platform.architecture).sort()).toEqual(['amd64', 'arm64'])
    },
  )
})
