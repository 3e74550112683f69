/** A real project built by the command on `host:node`, unpacked, and started by runc as its image says. */

import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { isPlainObject } from '../../../src/config/check-shape.ts'
import { compileCli, type CompiledCli } from '../../helpers/compiled-cli.ts'
import { describeWithPeers } from '../../helpers/peers.ts'
import { cannotRun, type RunResult } from '../../helpers/run-image.ts'
import { unpackBundle, type ContainerBundle } from '../../helpers/running-container.ts'
import { temporaryFolder } from '../../helpers/unpack.ts'
import { listTree, type TreeListing } from './list-tree.ts'
import { prepareProject, type ProjectRecipe, type RealProject } from './real-project.ts'

export interface BuiltProject {
  readonly project: RealProject
  /** The lines of `ocibuild plan` that say what was decided. */
  readonly decisions: readonly string[]
  /** Of an image, by its name in the spec; '' where there is one. */
  image(name?: string): BuiltImage
  /** Runs the command in the project's folder with a cache of its own. */
  cli(args: readonly string[]): ReturnType<CompiledCli['run']>
}

export interface BuiltImage {
  /** Below `/app`. */
  readonly files: TreeListing
  /** Starts it by its own words, and asks: `path` over HTTP at `PORT` or a socket named by `SOCKET`. */
  ask(path: string, env?: readonly string[]): Promise<string>
  /** Starts it by its own words, or by `args`, to its end. */
  run(args?: readonly string[], env?: readonly string[]): Promise<RunResult>
}

let compiled: CompiledCli | undefined
process.once('exit', () => compiled?.remove())

export interface ProjectOptions {
  /** The names of those that the spec has. Default: one without a name. */
  readonly images?: readonly string[]
  /** Where the command is run, below the project. */
  readonly within?: string
}

export function describeProject(
  title: string,
  recipe: ProjectRecipe,
  body: (built: () => BuiltProject) => void,
  { images = [''], within = '' }: ProjectOptions = {},
): void {
  describeWithPeers(title, ['umoci', 'runc'], () => {
    const reason = cannotRun()
    const prepared = reason ?? prepareProject(recipe)
    if (typeof prepared === 'string') {
      describe.skip(`skipped: ${prepared}`, () => body(unbuilt))
      return
    }
    const folder = temporaryFolder('ocibuild-real-project-')
    const bundles = new Map<string, ContainerBundle>()
    const opened = new Map<string, BuiltImage>()
    let built: BuiltProject

    beforeAll(async () => {
      const cli = (compiled ??= compileCli())
      // Compression has tests of its own, and takes longer than all the rest.
      const options = ['--base', 'host:node', '--compression', 'none', '--cache-dir', join(folder, 'cache')]
      const run: BuiltProject['cli'] = (args) =>
        cli.run([...args, ...options], {
          cwd: join(prepared.folder, within),
          env: { SOURCE_DATE_EPOCH: '0' },
        })
      const plan = await run(['plan'])
      const layout = join(folder, 'image')
      const made = await run(['build', '-o', `oci:${layout}`])
      if (plan.status !== 0 || made.status !== 0) throw new Error(`${plan.stderr}${made.stderr}`)
      for (const name of images) {
        const bundle = unpackBundle(layout, name === '' ? 'latest' : name)
        bundles.set(name, bundle)
        opened.set(name, openImage(bundle))
      }
      built = {
        project: prepared,
        decisions: decisionsOf(plan.stdout),
        cli: run,
        image(name = '') {
          const found = opened.get(name)
          if (found === undefined) throw new Error('no such image')
          return found
        },
      }
    })
    afterAll(() => {
      for (const bundle of bundles.values()) bundle.remove()
      rmSync(folder, { recursive: true, force: true })
    })
    body(() => built)
  })
}

function unbuilt(): never {
  throw new Error('skipped')
}

function decisionsOf(text: string): readonly string[] {
  const lines = text.split('\n')
  const first = lines.indexOf('decisions') + 1
  const count = lines.slice(first).findIndex((line) => !line.startsWith('  '))
  return lines.slice(first, first + count).map((line) => line.trim())
}

function openImage(bundle: ContainerBundle): BuiltImage {
  const config: unknown = JSON.parse(readFileSync(join(bundle.folder, 'config.json'), 'utf8'))
  let files: TreeListing | undefined
  return {
    get files() {
      return (files ??= listTree(join(bundle.folder, 'rootfs/app')))
    },
    run: (args, env) => bundle.start(args, env).ended,
    async ask(path, env = []) {
      const options = [...optionsOf(config), asking(path)].join(' ')
      const { stdout, stderr } = await bundle.start(undefined, [...env, `NODE_OPTIONS=${options}`]).ended
      const answer = /^ANSWER (.*)$/m.exec(stdout)?.[1]
      if (answer === undefined) throw new Error(`no answer: ${stdout}${stderr}`)
      return answer
    },
  }
}

/** What the image itself has in NODE_OPTIONS. */
function optionsOf(config: unknown): readonly string[] {
  const { process: started } = isPlainObject(config) ? config : {}
  const env = isPlainObject(started) ? started['env'] : []
  const found = Array.isArray(env) ? env.map(String).filter((item) => item.startsWith('NODE_OPTIONS=')) : []
  return found.map((item) => item.slice('NODE_OPTIONS='.length))
}

/** A preload in the server's own process: it asks until there is an answer, says it and ends. */
function asking(path: string): string {
  const code = `
    import { get } from 'node:http'
    import { isMainThread } from 'node:worker_threads'
    const { SOCKET, PORT = '3000', NODE_OPTIONS } = process.env
    const where = SOCKET ? { socketPath: SOCKET } : { host: '127.0.0.1', port: PORT }
    const ask = () => get({ ...where, path: ${JSON.stringify(path)} }, async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      console.log('ANSWER ' + response.statusCode + ' ' + text.replaceAll('\\n', ' '))
      process.exit()
    }).on('error', () => setTimeout(ask, 100))
    if (process.pid === 1 && isMainThread) ask()`
  return `--import=data:text/javascript,${encodeURIComponent(code)}`
}
