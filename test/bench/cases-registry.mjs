/** Builds against docker-registry on this machine, with what they send counted, and the peers that need a registry. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeLayout } from './cases-build.mjs'
import { startCountingProxy } from './counting-proxy.mjs'
import { runShell } from './measure.mjs'
import { findContainerify, has, importHelper } from './tools.mjs'
import { app, buildCommand, cli, editSource, restore, settle, work, writeConfig } from './workload.mjs'

const folder = join(work, 'in-registry')
const content = join(folder, 'content')

/**
 * @typedef {object} Traffic The most of any run.
 * @property {number} requests Without those that are answered by 401, and without tokens: authentication.
 * @property {number} sentBytes
 * @property {number} uploads Of blobs.
 * @property {number} layerDownloads Of blobs that are layers.
 *
 * @param {(id: string) => boolean} wanted
 * @returns {Promise<{ cases: import('./measure.mjs').Case[], missing: { id: string, reason: string }[],
 *   traffic: Map<string, Traffic>, close(): Promise<void> }>}
 */
export async function openRegistryCases(wanted) {
  const ids = ['clean', 'repush', 'copy', 'skopeo', 'containerify'].filter(wanted)
  const traffic = new Map()
  const nothing = { cases: [], traffic, close: async () => {} }
  if (ids.length === 0) return { ...nothing, missing: [] }
  if (!has('docker-registry')) {
    return { ...nothing, missing: ids.map((id) => ({ id, reason: 'docker-registry not installed' })) }
  }
  settle(folder)
  const { startDockerRegistry } = await importHelper('registry/docker-registry.ts')
  const registry = await startDockerRegistry({ folder: content })
  const proxy = await startCountingProxy(registry.origin)
  const made = [...ours({ proxy, registry, traffic }), ...copies(registry), containerify(registry)]
  const chosen = made.filter(({ id }) => ids.includes(id))
  return {
    cases: chosen.filter(({ reason }) => reason === undefined),
    missing: chosen.filter(({ reason }) => reason !== undefined),
    traffic,
    async close() {
      await proxy.close()
      await registry.close()
      settle(folder)
    },
  }
}

function ours({ proxy, registry, traffic }) {
  const build = (id, isFirst) => {
    const cache = join(folder, `cache-${id}`)
    return {
      cache,
      command: buildCommand({ cache, flags: `-t ${proxy.host}/bench/${id}:v1 --push`, isFirst }),
    }
  }
  const clean = build('clean', true)
  const repush = build('repush', false)
  let pushed = false
  return [
    {
      id: 'clean',
      name: 'ocibuild --push, clean machine, image in the registry',
      command: clean.command,
      before: async () => {
        restore()
        if (!pushed) await runShell(clean.command)
        pushed = true
        settle(clean.cache)
        proxy.take()
      },
      after: () => note(traffic, { id: 'clean', proxy, registry }),
      node: true,
    },
    {
      id: 'repush',
      name: 'ocibuild --push again, one source file changed',
      command: repush.command,
      before: async () => {
        restore()
        await runShell(repush.command)
        settle()
        editSource()
        proxy.take()
      },
      after: () => note(traffic, { id: 'repush', proxy, registry }),
      node: true,
    },
  ]
}

async function note(traffic, { id, proxy, registry }) {
  const exchanges = proxy
    .take()
    .filter(
      ({ path, status }) => status !== 401 && !new URL(path, registry.origin).pathname.endsWith('/token'),
    )
  const layers = await layerDigests(`${registry.origin}/v2/bench/${id}/manifests`)
  const before = traffic.get(id) ?? { requests: 0, sentBytes: 0, uploads: 0, layerDownloads: 0 }
  const seen = {
    requests: exchanges.length,
    sentBytes: exchanges.reduce((sum, { sent }) => sum + sent, 0),
    uploads: exchanges.filter(({ method, path }) => method === 'PUT' && path.includes('/blobs/')).length,
    layerDownloads: exchanges.filter(
      ({ method, path }) => method === 'GET' && layers.has(path.split('/').at(-1)),
    ).length,
  }
  if (process.env.BENCH_TRACE) {
    for (const { method, path, status, sent, received } of exchanges) {
      process.stderr.write(`  ${method} ${path} ${status}, ${sent} sent, ${received} received\n`)
    }
  }
  traffic.set(id, Object.fromEntries(Object.keys(seen).map((key) => [key, Math.max(seen[key], before[key])])))
}

/** Asked past the proxy. */
async function layerDigests(manifests) {
  const accept = ['image.index.v1', 'image.manifest.v1'].map((kind) => `application/vnd.oci.${kind}+json`)
  const read = async (reference) => {
    const response = await fetch(`${manifests}/${reference}`, { headers: { accept: accept.join(', ') } })
    if (!response.ok) throw new Error(`${manifests}/${reference} is answered by ${response.status}`)
    return response.json()
  }
  let document = await read('v1')
  while (document.manifests) document = await read(document.manifests[0].digest)
  return new Set(document.layers.map(({ digest }) => digest))
}

/** Ours and skopeo's copy of the same layout, to where it is already. */
function copies(registry) {
  const layout = join(folder, 'layout')
  const source = `oci:${layout}`
  const cache = join(folder, 'cache-copy')
  const copy = ({ id, name, command }) => {
    let copied = false
    return {
      id,
      name: `${name} of the built layout, image in the registry`,
      command,
      before: async () => {
        if (!existsSync(layout)) await makeLayout(layout)
        if (!copied) await runShell(command)
        copied = true
        settle()
      },
    }
  }
  const to = (id) => `${source} docker://${registry.host}/bench/${id}:v1`
  const ours = {
    id: 'copy',
    name: 'ocibuild copy',
    command: `OCIBUILD_CACHE_DIR=${cache} node ${cli} copy -q ${to('copy')}`,
  }
  const theirs = {
    id: 'skopeo',
    name: 'skopeo copy',
    command: `skopeo copy --dest-tls-verify=false ${to('skopeo')}`,
  }
  return [
    { ...copy(ours), node: true },
    has('skopeo') ? copy(theirs) : { id: 'skopeo', reason: 'skopeo not installed' },
  ]
}

function containerify(registry) {
  const tool = findContainerify()
  if (tool.missing !== undefined) return { id: 'containerify', reason: tool.missing }
  const archive = join(folder, 'containerify.tar')
  const flags = [
    `--fromRegistry ${registry.origin}/v2/ --fromImage bench/base:v1 --toImage bench/app:v1`,
    `--folder ${app} --platform linux/amd64 --allowInsecureRegistries --toOciLayout ${archive}`,
  ]
  return {
    id: 'containerify',
    name: `containerify ${tool.version}, Node.js ${tool.node}, cold`,
    command: `${tool.command} ${flags.join(' ')}`,
    before: async () => {
      restore()
      await pushBase(registry)
      settle(archive)
    },
    after: () => settle(archive),
    node: true,
  }
}

/** One file: what a base image costs is no part of this. */
async function pushBase(registry) {
  const base = join(folder, 'base')
  mkdirSync(base, { recursive: true })
  writeFileSync(join(base, 'hello'), 'hello\n')
  writeConfig(base, [{ name: 'base', entries: [{ copy: 'hello', to: '/hello' }] }])
  const flags = `-t ${registry.host}/bench/base:v1 --push`
  await runShell(buildCommand({ folder: base, cache: join(folder, 'cache-base'), flags }))
}
