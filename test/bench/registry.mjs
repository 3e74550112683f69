/**
 * `node test/bench/registry.mjs`: pushes and pulls an image of 1 GiB in ten layers beside skopeo, against
 * docker-registry on this machine in the same run, prints ratios of medians and peak memory, and writes them to
 * REGISTRY.md. BENCH_ROUNDS sets the counted rounds (default 3), BENCH_MIB the size (default 1024).
 */

import { execFileSync } from 'node:child_process'
import { createHash, randomFillSync } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { createJiti } from 'jiti'
import { measure, median } from './measure.mjs'

const here = import.meta.dirname
const project = resolve(here, '../..')
const rounds = Number(process.env.BENCH_ROUNDS ?? 3)
const mebibytes = Number(process.env.BENCH_MIB ?? 1024)
const layerCount = 10
const work = join(project, 'node_modules/.cache/ocibuild-bench/registry')
const image = join(work, `image-${mebibytes}`)
const cache = join(work, 'cache')
const content = join(work, 'content')
const pulled = { ours: join(work, 'pulled-ours'), skopeo: join(work, 'pulled-skopeo') }
const remove = (...paths) => paths.forEach((path) => rmSync(path, { recursive: true, force: true }))

const { startDockerRegistry } = await createJiti(import.meta.url).import(
  '../helpers/registry/docker-registry.ts',
)
const digest = prepareImage()
remove(content, cache, ...Object.values(pulled))
const registry = await startDockerRegistry({ folder: content })
try {
  report(await measure(casesFor(registry.host), rounds))
} finally {
  await registry.close()
  remove(content, cache, ...Object.values(pulled))
}

function casesFor(host) {
  const cli = `OCIBUILD_CACHE_DIR=${cache} node ${join(project, 'dist/cli.cjs')}`
  const remote = `docker://${host}/bench/app:v1`
  // What the last case left to be written must not be paid for by the next one.
  const settle = (...paths) => {
    remove(...paths)
    execFileSync('sync')
  }
  const emptyRegistry = () => settle(join(content, 'docker'), cache)
  return [
    {
      name: 'ocibuild push',
      command: `${cli} copy oci:${image}:v1 ${remote}`,
      before: emptyRegistry,
      node: true,
    },
    {
      name: 'skopeo push',
      command: `skopeo copy --dest-tls-verify=false oci:${image}:v1 ${remote}`,
      before: emptyRegistry,
    },
    {
      name: 'ocibuild push, nothing changed',
      command: `${cli} copy oci:${image}:v1 ${remote}`,
      node: true,
    },
    {
      name: 'ocibuild pull',
      command: `${cli} copy ${remote} oci:${pulled.ours}:v1`,
      before: () => settle(pulled.ours, cache),
      node: true,
    },
    {
      name: 'skopeo pull',
      command: `skopeo copy --src-tls-verify=false ${remote} oci:${pulled.skopeo}:v1`,
      before: () => settle(pulled.skopeo),
    },
  ]
}

/** A layout whose layers are whole gzip files of noise, so that nobody compresses anything; its manifest's digest. */
function prepareImage() {
  const index = join(image, 'index.json')
  if (existsSync(index)) return JSON.parse(readFileSync(index, 'utf8')).manifests[0].digest
  process.stderr.write(`making an image of ${mebibytes} MiB, once …\n`)
  remove(image)
  mkdirSync(join(image, 'blobs/sha256'), { recursive: true })
  const noise = Buffer.alloc(Math.floor((mebibytes * 1024 * 1024) / layerCount))
  const diffIds = []
  const layers = []
  const data = join(work, 'data')
  for (let i = 0; i < layerCount; i += 1) {
    writeFileSync(data, randomFillSync(noise))
    const tar = execFileSync('tar', ['cf', '-', '-C', work, 'data'], {
      maxBuffer: noise.length + 1024 * 1024,
    })
    diffIds.push(sha256(tar))
    layers.push(addBlob('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(tar, { level: 0 })))
  }
  rmSync(data)
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: diffIds } }
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = addBlob(mediaType, {
    schemaVersion: 2,
    mediaType,
    config: addBlob('application/vnd.oci.image.config.v1+json', config),
    layers,
  })
  writeFileSync(join(image, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  const entry = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'v1' } }
  writeFileSync(index, JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
  return manifest.digest
}

function addBlob(mediaType, value) {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))
  const digest = sha256(bytes)
  writeFileSync(join(image, 'blobs/sha256', digest.slice('sha256:'.length)), bytes)
  return { mediaType, digest, size: bytes.length }
}

function sha256(bytes) {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

function report(results) {
  for (const folder of Object.values(pulled)) {
    const found = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')).manifests[0].digest
    if (found !== digest) throw new Error(`${folder} holds ${found}, not ${digest}`)
  }
  const byName = new Map(results.map((result) => [result.name, median(result.seconds)]))
  const peerOf = (name) => byName.get(name.includes('push') ? 'skopeo push' : 'skopeo pull')
  const version = execFileSync('skopeo', ['--version'], { encoding: 'utf8' }).trim()
  const lines = [
    '# Benchmark: registries',
    '',
    `${mebibytes} MiB in ${layerCount} layers over loopback to docker-registry; ${version}; ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${mega(totalmem())} memory; Node.js ${process.versions.node}; ${rounds} interleaved rounds after a warm-up.`,
    `Written by \`node test/bench/registry.mjs\` on ${new Date().toISOString().slice(0, 10)}. Whole processes, the registry's own work included; ratios of medians. Below 1 is faster than skopeo.`,
    '',
    '| case | median | min to max | of skopeo | peak memory |',
    '|---|---|---|---|---|',
    ...results.map(({ name, seconds, peakBytes }) => {
      const ratio = (byName.get(name) / peerOf(name)).toFixed(2)
      const range = `${seconds[0].toFixed(2)} to ${seconds.at(-1).toFixed(2)}`
      return `| ${name} | ${byName.get(name).toFixed(2)} s | ${range} | ${ratio} | ${peakBytes ? mega(peakBytes) : '–'} |`
    }),
  ]
  const text = `${lines.join('\n')}\n`
  process.stdout.write(text)
  writeFileSync(join(here, 'REGISTRY.md'), text)
}

function mega(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`
}
