/** Timing whole processes in turn, so that a machine whose speed drifts treats all of them alike. */

import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * @typedef {object} Case
 * @property {string} [id] What `--cases` takes.
 * @property {string} name
 * @property {string} command A shell command.
 * @property {() => void | Promise<void>} [before] Untimed.
 * @property {() => void | Promise<void>} [after] Untimed, after each run that succeeded.
 * @property {boolean} [node] Whether it is a Node.js process that `report-usage.mjs` is preloaded into.
 *
 * @typedef {object} Measured
 * @property {string} [id]
 * @property {string} name
 * @property {number[]} seconds Sorted.
 * @property {number} peakBytes Of the warm-up, or of the only run; 0 where it was not measured.
 */

/**
 * Runs every case once a round, in order. The first round only warms up the file cache, and tells the peak memory: what
 * tells it takes time to load.
 * @param {readonly Case[]} cases
 * @param {number} rounds
 * @param {{ warmUp?: boolean }} [options] Default true.
 * @returns {Promise<Measured[]>}
 */
export async function measure(cases, rounds, { warmUp = true } = {}) {
  const measured = cases.map(({ id, name }) => ({ id, name, seconds: [], peakBytes: 0 }))
  for (let round = warmUp ? 0 : 1; round <= rounds; round += 1) {
    for (const [index, item] of cases.entries()) {
      await item.before?.()
      const { seconds, peakBytes } = await run(item, round === 0 || !warmUp)
      await item.after?.()
      const result = measured[index]
      if (round > 0) result.seconds.push(seconds)
      result.peakBytes = Math.max(result.peakBytes, peakBytes)
      process.stderr.write(
        `${round === 0 ? 'warm-up' : `round ${round}`}  ${item.name}  ${seconds.toFixed(2)} s\n`,
      )
    }
  }
  for (const result of measured) result.seconds.sort((a, b) => a - b)
  return measured
}

/** @param {readonly number[]} sorted */
export function median(sorted) {
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * Runs a shell command while this process goes on: a proxy in it has to answer.
 * @param {string} command
 * @param {NodeJS.ProcessEnv} [env]
 */
export async function runShell(command, env = process.env) {
  const child = spawn('bash', ['-o', 'pipefail', '-c', command], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += chunk))
  const status = await new Promise((resolve) => child.on('close', resolve))
  if (status !== 0) throw new Error(`${command} failed with ${status}: ${errors.slice(-2000)}`)
}

/** What every case gets: authorities of this machine's own, which every Node.js would read at its start, have no part. */
const plainEnv = { ...process.env }
delete plainEnv.NODE_EXTRA_CA_CERTS

async function run({ command, node }, withUsage) {
  const usage = join(tmpdir(), `ocibuild-bench-${process.pid}.usage`)
  rmSync(usage, { force: true })
  const preload = new URL('./report-usage.mjs', import.meta.url).href
  const asked = node && withUsage
  const env = asked ? { ...plainEnv, BENCH_USAGE: usage, NODE_OPTIONS: `--import=${preload}` } : plainEnv
  const startedMs = performance.now()
  await runShell(command, env)
  const seconds = (performance.now() - startedMs) / 1000
  const peakBytes = asked ? Number(readFileSync(usage, 'utf8')) : 0
  return { seconds, peakBytes }
}
