/** The project that is built again and again under other circumstances, and what must not move. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileCli, type CliOptions, type CompiledCli } from '../helpers/compiled-cli.ts'
import { writeFixture, type FixtureOptions } from '../helpers/fixture-tree.ts'
import { rawTar } from '../helpers/hand-made-image.ts'

/** Every verb that needs no base, both kinds of root, every compression whose bytes are promised. */
export const spec: Readonly<Record<string, unknown>> = {
  name: 'fixture',
  platforms: ['linux/amd64', 'linux/arm64/v8'],
  layers: [
    { name: 'all', entries: [{ copy: '.', to: '/app', exclude: ['**/*.map'] }] },
    {
      name: 'verbs',
      entries: [
        { directory: '/var/empty', mode: '0700', owner: '10:20' },
        { file: '/etc/passwd', content: 'root:x:0:0::/root:\nnode:x:1000:1000::/home/node:\n' },
        { file: '/etc/group', content: 'root:x:0:\nnode:x:1000:\n' },
        { copy: ['bin', 'lib/**/*.{js,json}'], to: '/srv', owner: 'node' },
        { archive: 'vendor.tar', to: '/opt/vendor', strip: 1 },
        { symlink: '/current', target: 'app' },
        { hardlink: '/etc/users', target: '/etc/passwd' },
      ],
    },
    { name: 'fast', compression: 'gzip:1', entries: [{ copy: ['lib', 'data/binary'], to: '/fast' }] },
    { name: 'best', compression: 'gzip:9', entries: [{ copy: ['lib', 'data/binary'], to: '/best' }] },
    { name: 'plain', compression: 'none', entries: [{ copy: 'odd', to: '/odd', follow: true }] },
    { append: '/etc/passwd', content: 'last:x:2:2::/:\n' },
  ],
  config: {
    cmd: ['/app/bin/tool0'],
    user: 'node',
    env: { PATH: '/bin', LANG: 'C' },
    labels: { z: '1', a: '2' },
  },
}

export interface Workbench {
  readonly folder: string
  readonly cli: CompiledCli
  /** A fresh folder with the project in it. */
  project(options?: FixtureOptions & { readonly spec?: unknown; readonly below?: string }): string
  /** Builds into a layout of its own and gives all that is promised: the digests of everything. */
  digests(project: string, options?: BuildOptions): Promise<string>
  remove(): void
}

export interface BuildOptions extends Partial<CliOptions> {
  readonly args?: readonly string[] | undefined
  /** Default: a fresh one. */
  readonly cacheDir?: string | undefined
  /** Default: a fresh one. */
  readonly layout?: string | undefined
}

export function openWorkbench(): Workbench {
  const folder = mkdtempSync(join(tmpdir(), 'ocibuild-e2e-'))
  const cli = compileCli()
  const fresh = (name: string): string => mkdtempSync(join(folder, `${name}-`))
  return {
    folder,
    cli,
    project(options = {}) {
      const root = writeFixture(join(fresh('project'), options.below ?? '.'), options)
      writeFileSync(join(root, 'oci.config.json'), JSON.stringify(options.spec ?? spec))
      writeFileSync(join(root, '.ociignore'), 'lib/m3\n**/*.md\n!**/file1*.md\n')
      writeFileSync(join(root, 'vendor.tar'), vendorTar)
      return root
    },
    async digests(project, options = {}) {
      const { args = [], cacheDir = fresh('cache'), layout = fresh('layout'), ...rest } = options
      const words = ['--json', '--cache-dir', cacheDir, '-o', `oci:${layout}`, ...args]
      const { stdout } = await cli.must(words, { cwd: project, ...rest })
      return digestsOf(JSON.parse(stdout))
    },
    remove() {
      cli.remove()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const vendorTar = rawTar([
  { name: 'vendor/' },
  { name: 'vendor/b', content: 'b', mode: 0o755, uid: 5 },
  { name: 'vendor/a', content: 'a', mode: 0o600 },
  { name: 'vendor/link', flag: '2', target: 'a' },
])

/** One line a digest: a difference shows where it begins. */
function digestsOf(result: { images: readonly ImageWords[] }): string {
  const lines: string[] = []
  for (const { digest, platforms } of result.images) {
    lines.push(`image ${digest}`)
    for (const { platform, config, layers, ...manifest } of platforms) {
      lines.push(`${platform} ${manifest.digest}`, `config ${config}`)
      for (const layer of layers) lines.push(`${layer.name} ${layer.size} ${layer.diffId} ${layer.digest}`)
    }
  }
  return lines.join('\n')
}

interface ImageWords {
  readonly digest: string
  readonly platforms: readonly {
    readonly platform: string
    readonly digest: string
    readonly config: string
    readonly layers: readonly {
      readonly name: string
      readonly size: number
      readonly diffId: string
      readonly digest: string
    }[]
  }[]
}
