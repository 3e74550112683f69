/**
 * Cold builds of many files and of one large file, each made before and removed after, beside a tenth of the same, to
 * see that time grows as they do. BENCH_LARGE_SHARE (default 1) makes all of them smaller, to try the
 * script; nothing is then written.
 */

import { closeSync, mkdirSync, openSync, statfsSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { halfNoise, noise } from './noise.mjs'
import { runShell } from './measure.mjs'
import { buildCommand, layerSizes, settle, work, writeConfig } from './workload.mjs'

export const share = Number(process.env.BENCH_LARGE_SHARE ?? 1)
const large = join(work, 'large')
const gibibyte = 1024 ** 3
const chunk = 16 * 1024 ** 2

const count = (full) => Math.max(1, Math.round(full * share))
const sizes = {
  'files-10k': { files: count(10_000), name: 'files of 4 KiB' },
  'files-100k': { files: count(100_000), name: 'files of 4 KiB' },
  'file-1g': { bytes: count(gibibyte), name: 'one file of 1 GiB' },
  'file-10g': { bytes: count(10 * gibibyte), name: 'one file of 10 GiB' },
}

/** @returns {{ cases: import('./measure.mjs').Case[], missing: { id: string, reason: string }[] }} */
export function largeCases() {
  const made = Object.entries(sizes).map(([id, size]) => largeCase(id, size))
  return {
    cases: made.filter(({ reason }) => reason === undefined),
    missing: made.filter(({ reason }) => reason !== undefined),
  }
}

function largeCase(id, { files, bytes = files * 4096, name }) {
  mkdirSync(work, { recursive: true })
  const { bavail, bsize } = statfsSync(work)
  // The file, and its compressed half in the cache and in the layout.
  const needed = bytes * 2.5
  if (bavail * bsize < needed) {
    return {
      id,
      reason: `${Math.ceil(needed / 1e9)} GB of free disk needed, ${Math.floor((bavail * bsize) / 1e9)} seen`,
    }
  }
  const app = join(large, 'app')
  const cache = join(large, 'cache')
  const flags = `-o oci:${join(large, 'image')}`
  const what = files === undefined ? name : `${files.toLocaleString('en')} ${name}`
  return {
    id,
    name: `ocibuild, cold, ${what}${share === 1 ? '' : `, ${share} of it`}`,
    command: buildCommand({ folder: app, cache, flags }),
    before: () => {
      settle(large)
      mkdirSync(join(app, 'data'), { recursive: true })
      writeConfig(app, [{ name: 'data', entries: [{ copy: 'data', to: '/data' }] }])
      if (files === undefined) writeLargeFile(join(app, 'data/large.bin'), bytes)
      else writeManyFiles(join(app, 'data'), files)
      settle()
    },
    after: () => settle(large),
    node: true,
  }
}

function writeLargeFile(path, bytes) {
  const next = halfNoise('large')
  const file = openSync(path, 'w')
  try {
    for (let left = bytes; left > 0; left -= chunk) writeSync(file, next(Math.min(chunk, left)))
  } finally {
    closeSync(file)
  }
}

function writeManyFiles(folder, files) {
  const next = halfNoise('many')
  for (let i = 0; i < files; i += 1) {
    const parent = join(folder, String(Math.floor(i / 1000)))
    if (i % 1000 === 0) mkdirSync(parent)
    writeFileSync(join(parent, `${i % 1000}.txt`), next(4096))
  }
}

/** Bytes of a gzip layer of 8 MiB of noise, for each byte of its tar (untimed): 1 and a little where it is stored. */
export async function storedShare() {
  const folder = join(work, 'noise')
  const image = join(folder, 'image')
  settle(folder)
  mkdirSync(folder, { recursive: true })
  const bytes = 8 * 1024 ** 2
  writeFileSync(join(folder, 'noise.bin'), noise('stored')(bytes))
  writeConfig(folder, [{ name: 'noise', entries: [{ copy: 'noise.bin', to: '/noise.bin' }] }])
  await runShell(buildCommand({ folder, cache: join(folder, 'cache'), flags: `-o oci:${image}` }))
  const [layer] = layerSizes(image)
  settle(folder)
  return layer / bytes
}
