/** Our builds of the app into a layout: cold, warm, and with one file changed. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runShell } from './measure.mjs'
import { nodeWithZstd } from './tools.mjs'
import { buildCommand, editDependency, editSource, restore, settle, work } from './workload.mjs'

const cache = join(work, 'cache')
export const image = join(work, 'image')
/** What was written less than two seconds before a build could be written again without its times moving. */
const settledMs = 2100
const flags = `-o oci:${image}`
const ours = buildCommand({ cache, flags })
const first = buildCommand({ cache, flags, isFirst: true })

/** A build of the app as it was installed has just been made, of files that are old enough to be remembered. */
export async function ensureBuilt() {
  if (restore()) await sleep(settledMs)
  await runShell(ours)
  settle()
}

const cold = (folders) => () => {
  restore()
  settle(...folders)
}

/**
 * Cases, and why some are missing.
 * @returns {{ cases: import('./measure.mjs').Case[], missing: { id: string, reason: string }[] }}
 */
export function buildCases() {
  const cases = [
    { id: 'cold', name: 'ocibuild, cold', command: first, before: cold([cache, image]), node: true },
    { id: 'unchanged', name: 'ocibuild, nothing changed', command: ours, before: ensureBuilt, node: true },
    {
      id: 'source',
      name: 'ocibuild, one source file changed',
      command: ours,
      before: async () => {
        await ensureBuilt()
        editSource()
      },
      node: true,
    },
    {
      id: 'dependency',
      name: 'ocibuild, one file of one dependency changed',
      command: ours,
      before: async () => {
        await ensureBuilt()
        editDependency()
      },
      node: true,
    },
    otherCompression({ id: 'gzip1', name: 'ocibuild gzip:1, cold', compression: 'gzip:1' }),
  ]
  const node = nodeWithZstd()
  if (node.path === undefined) return { cases, missing: [{ id: 'zstd', reason: node.missing }] }
  const name = `ocibuild zstd:3, cold, Node.js ${node.version}`
  cases.push(otherCompression({ id: 'zstd', name, compression: 'zstd:3', node: node.path }))
  return { cases, missing: [] }
}

/** In folders of its own: what it leaves must not warm or cool the others. */
function otherCompression({ id, name, compression, node = 'node' }) {
  const folders = [join(work, `cache-${id}`), join(work, `image-${id}`)]
  const own = `--compression ${compression} -o oci:${folders[1]}`
  const command = buildCommand({ node, cache: folders[0], flags: own, isFirst: true })
  return { id, name, command, before: cold(folders), after: () => settle(...folders), node: true }
}

/** A layout with one image, of the app as it was installed. */
export async function makeLayout(folder) {
  restore()
  settle(folder)
  await runShell(buildCommand({ cache, flags: `-o oci:${folder}` }))
  if (!existsSync(join(folder, 'index.json'))) throw new Error(`${folder} holds no image`)
}
