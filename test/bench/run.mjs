/**
 * `npm run bench`: builds a production node_modules beside other people's tools, in the same run, prints ratios of
 * medians, peak memory and the bounds of issue 5, and writes them to RESULTS.md. BENCH_ROUNDS sets the counted rounds
 * (default 5). `-- --large` adds 100,000 files and one file of 10 GiB, once each; `-- --cases NAME,…` runs only some,
 * and prints without writing. BENCH_TRACE prints the requests to the registry.
 */

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureCompiled } from '../../scripts/lib/compile.mjs'
import { buildCases, makeLayout } from './cases-build.mjs'
import { largeCases, share, storedShare } from './cases-large.mjs'
import { peerCases, pigzBytes } from './cases-peers.mjs'
import { openRegistryCases } from './cases-registry.mjs'
import { measure } from './measure.mjs'
import { report } from './report.mjs'
import { app, countTree, layerSizes, prepareApp, restore, work } from './workload.mjs'

const usual = 'cold unchanged source dependency gzip1 zstd clean repush copy'
const peers = 'pigz crane tar-zstd umoci skopeo containerify noise'
const known = {
  usual: `${usual} ${peers}`.split(' '),
  large: ['files-10k', 'files-100k', 'file-1g', 'file-10g'],
}
const { values } = parseArgs({
  options: { large: { type: 'boolean', default: false }, cases: { type: 'string' } },
})
const chosen = values.cases?.split(',')
const unknown = chosen?.filter((id) => ![...known.usual, ...known.large].includes(id)) ?? []
if (unknown.length > 0) {
  console.error(
    `no such case: ${unknown.join(', ')}; there are ${[...known.usual, ...known.large].join(', ')}`,
  )
  process.exit(2)
}
const wanted = (id) => chosen?.includes(id) ?? (known.usual.includes(id) || values.large)
const rounds = Number(process.env.BENCH_ROUNDS ?? 5)

await ensureCompiled()
prepareApp()
const registry = await openRegistryCases(wanted)
try {
  const text = await run()
  process.stdout.write(text)
  if (chosen === undefined && share === 1) writeFileSync(join(import.meta.dirname, 'RESULTS.md'), text)
} finally {
  await registry.close()
  restore()
  if (known.large.some(wanted)) rmSync(join(work, 'large'), { recursive: true, force: true })
}

async function run() {
  const groups = [pick(buildCases), registry, pick(peerCases)]
  const large = pick(largeCases)
  const missing = [...groups, large].flatMap((group) => group.missing)
  for (const { id, reason } of missing) console.error(`left out: ${id} (${reason})`)
  const measured = [
    ...(await measure(
      groups.flatMap(({ cases }) => cases),
      rounds,
    )),
    ...(await measure(large.cases, 1, { warmUp: false })),
  ]
  return report({
    measured,
    missing,
    rounds,
    partial: chosen !== undefined,
    traffic: registry.traffic,
    tree: countTree(app),
    bytesOfPigz: wanted('cold') && wanted('pigz') ? await compareBytes() : undefined,
    storedShare: wanted('noise') ? await storedShare() : undefined,
  })
}

function pick(makeCases) {
  const { cases, missing } = makeCases()
  return { cases: cases.filter(({ id }) => wanted(id)), missing: missing.filter(({ id }) => wanted(id)) }
}

/** Our layers' bytes for each byte of pigz's. */
async function compareBytes() {
  const layout = join(work, 'image-size')
  await makeLayout(layout)
  const ours = layerSizes(layout).reduce((sum, size) => sum + size, 0)
  rmSync(layout, { recursive: true })
  const theirs = pigzBytes()
  return theirs === undefined ? undefined : ours / theirs
}
