/**
 * `node test/bench/start.mjs`: how long a start takes, beside `node -e 0` in turn, as medians and ratios: the version,
 * help, and a build of one small file that nothing changed of, with a JSON, a YAML and a TypeScript config.
 * BENCH_ROUNDS sets the rounds (default 30).
 */

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { median } from './measure.mjs'

const project = resolve(import.meta.dirname, '../..')
const cli = join(project, 'dist/cli.cjs')
const rounds = Number(process.env.BENCH_ROUNDS ?? 30)
const folder = mkdtempSync(join(tmpdir(), 'ocibuild-start-'))
const spec = `{ name: 'start', platforms: ['linux/amd64'], layers: [{ file: '/x', content: 'x' }] }`

/** A folder with a config, outside of any clone: what git takes is not ours. */
function makeApp(name, config) {
  const app = join(folder, name)
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), '{ "name": "start" }')
  writeFileSync(join(app, config.name), config.text)
  return app
}

const json = makeApp('json', {
  name: 'oci.config.json',
  text: JSON.stringify({ name: 'start', platforms: ['linux/amd64'], layers: [{ file: '/x', content: 'x' }] }),
})
const yaml = makeApp('yaml', {
  name: 'oci.config.yaml',
  text: 'name: start\nplatforms: [linux/amd64]\nlayers: [{ file: /x, content: x }]\n',
})
const typed = makeApp('typed', {
  name: 'oci.config.ts',
  text: `import { defineConfig } from 'ocibuild'\nexport default defineConfig(${spec})\n`,
})
const compiled = makeApp('compiled', {
  name: 'oci.config.ts',
  text: `import { defineConfig } from 'ocibuild'\nexport default defineConfig(${spec} as const)\n`,
})
const cache = join(folder, 'cache')
const build = ['build', '-q', '--cache-dir', cache]
const forget = () => rmSync(join(cache, 'facts', 'compiled'), { recursive: true, force: true })

const cases = [
  { name: 'node -e 0', argv: ['-e', '0'] },
  { name: 'ocibuild --version', argv: [cli, '--version'] },
  { name: 'ocibuild build --help', argv: [cli, 'build', '--help'] },
  { name: 'build, JSON config', argv: [cli, ...build], cwd: json },
  { name: 'build, YAML config', argv: [cli, ...build], cwd: yaml },
  { name: 'build, TypeScript config', argv: [cli, ...build], cwd: typed },
  { name: 'build, TypeScript config with types', argv: [cli, ...build], cwd: compiled },
  { name: 'the same for the first time', argv: [cli, ...build], cwd: compiled, before: forget },
]

const times = cases.map(() => [])
try {
  // The first round fills caches.
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, { name, argv, cwd = folder, before }] of cases.entries()) {
      before?.()
      const startedMs = performance.now()
      const { status, stderr } = spawnSync(process.execPath, argv, { cwd, encoding: 'utf8' })
      const tookMs = performance.now() - startedMs
      if (status !== 0) throw new Error(`${name} failed with ${status}: ${stderr}`)
      if (round > 0) times[index].push(tookMs)
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

const medians = times.map((list) => median(list.toSorted((a, b) => a - b)))
console.log(`Node.js ${process.version}, medians of ${rounds}`)
for (const [index, { name }] of cases.entries()) {
  const ratio = (medians[index] / medians[0]).toFixed(2)
  console.log(`${name.padEnd(38)} ${medians[index].toFixed(1).padStart(7)} ms  ${ratio.padStart(6)}`)
}
