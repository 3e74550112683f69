/** Builds a copy of an example, in this process, with a cache of its own; nothing is written into the project. */

import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import type { BuildOptions, BuildResult } from '../../src/build-types.ts'
import { build } from '../../src/build.ts'
import { processEnvironment } from '../../src/environment.ts'

export const examplesFolder: string = resolve(import.meta.dirname, '../../examples')

export interface Workshop {
  /** Absolute; each example that was built lies in it by its name. */
  readonly folder: string
  /** Copies the example when it is not there yet, and builds it there. Variables of this process are not seen. */
  build(example: string, options?: BuildOptions): Promise<BuildResult>
  remove(): void
}

const made = new Set(['dist', '.ocibuild', 'node_modules'])

export function openWorkshop(): Workshop {
  const folder = mkdtempSync(join(tmpdir(), 'ocibuild-examples-'))
  const { PATH } = process.env
  return {
    folder,
    async build(example, options = {}) {
      const cwd = join(folder, example)
      cpSync(join(examplesFolder, example), cwd, {
        recursive: true,
        filter: (path) => !made.has(basename(path)),
      })
      const environment = { ...processEnvironment(), cwd, variables: { PATH } }
      return build({ cwd, cacheDir: join(folder, 'cache'), environment, ...options })
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** A base with the users of `host:node` and nothing else: what is built on it has the same digest everywhere. */
export async function buildFixedBase(workshop: Workshop): Promise<string> {
  const output = `oci:${join(workshop.folder, 'fixed-base')}`
  await build({
    cwd: workshop.folder,
    cacheDir: join(workshop.folder, 'cache'),
    spec: {
      name: 'fixed-base',
      platforms: ['linux/amd64'],
      layers: [
        { file: '/etc/passwd', content: 'root:x:0:0::/root:\nnode:x:1000:1000::/home/node:\n' },
        { file: '/etc/group', content: 'root:x:0:\nnode:x:1000:\n' },
      ],
      metadata: 'none',
      created: 'epoch',
      outputs: [output],
    },
  })
  return `${output}:latest`
}
