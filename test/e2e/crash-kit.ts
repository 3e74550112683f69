/** A build that takes a while over an earlier image, and what must be true of its folders whatever ended it. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect } from 'vitest'
import { validateLayout } from '../../src/image/validate-layout.ts'
import { parseImageIndex } from '../../src/spec/parse-image-index.ts'
import { compileCli, type CompiledCli } from '../helpers/compiled-cli.ts'
import { createRandom } from '../helpers/fixture-tree.ts'

export interface CrashBench {
  readonly folder: string
  readonly cli: CompiledCli
  /** Writes a project of so many MiB, half of it words, of which each seed has others. */
  project(name: string, seed: number, mebibytes: number): string
  remove(): void
}

export function openCrashBench(): CrashBench {
  const folder = mkdtempSync(join(tmpdir(), 'ocibuild-crash-'))
  const cli = compileCli()
  return {
    folder,
    cli,
    project(name, seed, mebibytes) {
      const root = join(folder, name)
      const random = createRandom(seed)
      mkdirSync(join(root, 'files'), { recursive: true })
      // Words come from one text, begun elsewhere each time: making them is slower than building.
      const text = random.text(200_000)
      for (let i = 0; i < mebibytes; i += 1) {
        const half = Buffer.concat([Buffer.from(text), random.bytes(524_288 - 200_000)])
        for (let j = 0; j < 2; j += 1) writeFileSync(join(root, 'files', `${i}-${j}`), half)
      }
      const spec = {
        name: 'crash',
        platforms: ['linux/amd64'],
        compression: 'gzip:6',
        layers: [
          { copy: 'files', to: '/files' },
          { file: '/seed', content: String(seed) },
        ],
      }
      writeFileSync(join(root, 'oci.config.json'), JSON.stringify(spec))
      return root
    },
    remove() {
      cli.remove()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Digests by ref name, as index.json has them; throws when it cannot be read. */
export function refsOf(layout: string): Readonly<Record<string, string>> {
  const { manifests } = parseImageIndex(readFileSync(join(layout, 'index.json')))
  return Object.fromEntries(
    manifests.map(({ annotations, digest }) => [annotations?.['org.opencontainers.image.ref.name'], digest]),
  )
}

/** Every image that index.json names is whole, down to the bytes in its layers. */
export async function expectWhole(layout: string): Promise<void> {
  const { findings } = await validateLayout(layout)
  expect(findings).toEqual([])
}

/** What a build makes for itself and nobody else: temporaries and locks, anywhere below. */
export function temporariesIn(...folders: readonly string[]): readonly string[] {
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => basename(name).startsWith('.ocibuild-'))
      .map((name) => join(folder, name)),
  )
}
