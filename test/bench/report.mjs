/** What was measured, as Markdown. */

import { cpus, totalmem } from 'node:os'
import { bounds, lostCases } from './bounds.mjs'
import { median } from './measure.mjs'
import { has, versionOf } from './tools.mjs'

/**
 * @param {Parameters<typeof bounds>[0] & { tree: { files: number, bytes: number }, rounds: number, partial: boolean,
 *   missing: readonly { id: string, reason: string }[] }} run
 */
export function report(run) {
  const { measured, missing, tree, rounds } = run
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${mega(totalmem())} memory`
  const node = `Node.js ${process.versions.node}, zlib ${process.versions.zlib}`
  const rows = bounds(run).filter(({ measured }) => !run.partial || measured !== undefined)
  const lost = [
    ...lostCases(measured),
    ...rows
      .filter(({ met }) => met === false)
      .map(({ name, bound, measured }) => `bound of ${name}: ${bound}, measured ${measured}`),
  ]
  const lines = [
    '# Benchmark',
    '',
    `${tree.files.toLocaleString('en')} files, ${mega(tree.bytes)}, in two layers; ${machine}; ${node}; ${rounds} interleaved rounds after a warm-up, those of --large once.`,
    `Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}. Whole processes; ratios of medians. Below 1 is faster than the other.`,
    '',
    '| case | median | min to max | of our cold build | of tar, pigz, sha256sum | peak memory |',
    '|---|---|---|---|---|---|',
    ...timeRows(measured),
    '',
    '## Bounds',
    '',
    '| case | bound | measured | met |',
    '|---|---|---|---|',
    ...rows.map(({ name, bound, measured, met }) => {
      const verdict = met === undefined ? '–' : met ? 'yes' : '**no**'
      return `| ${name} | ${bound} | ${measured ?? 'not measured'} | ${verdict} |`
    }),
    '',
    '## Lost',
    '',
    ...(lost.length === 0 ? ['None.'] : lost.map((line) => `- ${line}`)),
    '',
    '## Tools',
    '',
    ...toolVersions(measured).map((line) => `- ${line}`),
    ...missing.map(({ id, reason }) => `- left out: ${id} (${reason})`),
  ]
  return `${lines.join('\n')}\n`
}

function timeRows(measured) {
  const ratio = (result, id, digits) => {
    const other = measured.find((candidate) => candidate.id === id)
    return other ? (median(result.seconds) / median(other.seconds)).toFixed(digits) : '–'
  }
  return measured.map((result) => {
    const { id, name, seconds, peakBytes } = result
    const range = `${seconds[0].toFixed(2)} to ${seconds.at(-1).toFixed(2)}`
    const compared = /^files?-/.test(id)
      ? '– | –'
      : `${ratio(result, 'cold', 3)} | ${ratio(result, 'pigz', 2)}`
    const cell = name.replaceAll('|', '\\|')
    return `| ${cell} | ${median(seconds).toFixed(2)} s | ${range} | ${compared} | ${peakBytes ? mega(peakBytes) : '–'} |`
  })
}

/** Of the peers that took part; npm's are named with theirs already. */
function toolVersions(measured) {
  const ran = new Set(measured.map(({ id }) => id))
  const used = [
    ['tar', ['pigz', 'crane', 'tar-zstd']],
    ['pigz', ['pigz']],
    ['gzip', ['crane']],
    ['zstd', ['tar-zstd']],
    ['sha256sum', ['pigz', 'crane', 'tar-zstd']],
    ['umoci', ['umoci']],
    ['skopeo', ['skopeo']],
    ['docker-registry', ['clean', 'repush', 'copy', 'skopeo', 'containerify']],
  ]
  return used
    .filter(([tool, ids]) => ids.some((id) => ran.has(id)) && has(tool))
    .map(([tool]) => versionOf(tool))
}

function mega(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`
}
