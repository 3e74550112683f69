/**
 * `npm run bench`: builds a production node_modules beside `tar | pigz -p2 -6 | sha256sum` (and umoci, where it is
 * present) in the same run, prints ratios of medians and peak memory, and writes them to RESULTS.md.
 * BENCH_ROUNDS sets the counted rounds (default 5).
 */

import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { measure, median } from './measure.mjs'

const here = import.meta.dirname
const project = resolve(here, '../..')
const work = join(project, 'node_modules/.cache/ocibuild-bench')
const app = join(work, 'app')
const cli = join(project, 'dist/cli.js')
const rounds = Number(process.env.BENCH_ROUNDS ?? 5)

prepareApp()
const tree = countTree(join(app, 'node_modules'))
const cache = join(work, 'cache')
const image = join(work, 'image')
const forget = () => [cache, image].forEach((path) => rmSync(path, { recursive: true, force: true }))
const ours = `cd ${app} && node ${cli} build --cache-dir ${cache} -o oci:${image} -q`
const source = join(app, 'node_modules/react/index.js')

const cases = [
  { name: 'ocibuild, cold', command: ours, before: forget, node: true },
  { name: 'ocibuild, nothing changed', command: ours, node: true },
  {
    name: 'ocibuild, one file changed',
    command: ours,
    before: () => appendFileSync(source, `// ${'x'.repeat(1 + (statSync(source).size % 7))}\n`),
    node: true,
  },
  { name: 'ocibuild gzip:1, cold', command: `${ours} --compression gzip:1`, before: forget, node: true },
  {
    name: 'tar | pigz -p2 -6 | sha256sum',
    command: `cd ${app} && tar cf - node_modules | pigz -p2 -6 | sha256sum`,
    needs: ['tar', 'pigz', 'sha256sum'],
  },
  {
    name: 'umoci insert',
    command: `umoci insert --image ${work}/umoci:latest ${app}/node_modules /app/node_modules`,
    before: () => {
      rmSync(join(work, 'umoci'), { recursive: true, force: true })
      execFileSync('umoci', ['init', '--layout', join(work, 'umoci')])
      execFileSync('umoci', ['new', '--image', `${join(work, 'umoci')}:latest`])
    },
    needs: ['umoci'],
  },
]

const present = cases.filter(({ name, needs = [] }) => {
  const missing = needs.filter((tool) => !has(tool))
  if (missing.length > 0) process.stderr.write(`left out: ${name} (${missing.join(', ')} not installed)\n`)
  return missing.length === 0
})
const measured = await measure(present, rounds)
const sizes = blobSizes()
report(measured, sizes)

function prepareApp() {
  const ready = join(app, 'node_modules/.package-lock.json')
  mkdirSync(app, { recursive: true })
  cpSync(join(here, 'app/package.json'), join(app, 'package.json'))
  writeFileSync(
    join(app, 'oci.config.json'),
    JSON.stringify({
      name: 'bench',
      platforms: ['linux/amd64'],
      created: 'epoch',
      layers: [{ name: 'dependencies', entries: [{ copy: 'node_modules', to: '/app/node_modules' }] }],
    }),
  )
  if (existsSync(ready)) return
  process.stderr.write('installing the app to build, once …\n')
  execFileSync('npm', ['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: app,
    stdio: 'inherit',
  })
}

function countTree(folder) {
  let files = 0
  let bytes = 0
  for (const item of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!item.isFile()) continue
    files += 1
    bytes += statSync(join(item.parentPath, item.name)).size
  }
  return { files, bytes }
}

function has(tool) {
  try {
    execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The layer's bytes beside pigz's, of one more untimed run each. */
function blobSizes() {
  if (!has('pigz')) return undefined
  forget()
  execFileSync('sh', ['-c', ours], { stdio: 'ignore' })
  const blobs = join(image, 'blobs/sha256')
  const layer = Math.max(...readdirSync(blobs).map((name) => statSync(join(blobs, name)).size))
  const pigz = Number(
    execFileSync('sh', ['-c', `cd ${app} && tar cf - node_modules | pigz -p2 -6 | wc -c`], {
      encoding: 'utf8',
    }),
  )
  return { layer, pigz }
}

function report(results, bytes) {
  const byName = new Map(results.map((result) => [result.name, result]))
  const cold = median(byName.get('ocibuild, cold').seconds)
  const peer = byName.get('tar | pigz -p2 -6 | sha256sum')
  const lines = [
    '# Benchmark',
    '',
    `${tree.files.toLocaleString('en')} files, ${mega(tree.bytes)}; ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${mega(totalmem())} memory; Node.js ${process.versions.node}, zlib ${process.versions.zlib}; ${rounds} interleaved rounds after a warm-up.`,
    `Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}. Whole processes; ratios of medians. Below 1 is faster than the other.`,
    '',
    '| case | median | min to max | of our cold build | of tar, pigz, sha256sum | peak memory |',
    '|---|---|---|---|---|---|',
    ...results.map(({ name, seconds, peakBytes }) => {
      const middle = median(seconds)
      const ratio = peer ? (middle / median(peer.seconds)).toFixed(2) : '–'
      return `| ${name} | ${middle.toFixed(2)} s | ${seconds[0].toFixed(2)} to ${seconds.at(-1).toFixed(2)} | ${(middle / cold).toFixed(3)} | ${ratio} | ${peakBytes ? mega(peakBytes) : '–'} |`
    }),
  ]
  if (bytes)
    lines.push('', `Layer: ${mega(bytes.layer)}, ${(bytes.layer / bytes.pigz).toFixed(4)} of pigz -6.`)
  const text = `${lines.join('\n')}\n`
  process.stdout.write(text)
  writeFileSync(join(here, 'RESULTS.md'), text)
}

function mega(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`
}
