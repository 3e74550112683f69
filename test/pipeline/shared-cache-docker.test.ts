import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startDockerRegistry } from '../helpers/registry/docker-registry.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { machine } from './shared-cache-kit.ts'

describeWithPeers('docker-registry as the cache', ['docker-registry', 'skopeo'], ({ skopeo }) => {
  it('takes image and cache manifest, gives layers by key, and skopeo reads what was pushed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ocibuild-shared-docker-'))
    try {
      const registry = await forTest(startDockerRegistry())
      const name = `${registry.host}/team/app`
      const cache = `${registry.host}/team/cache:main`
      const spec = {
        name,
        platforms: ['linux/amd64', 'linux/arm64'],
        layers: [
          { file: '/a', content: 'a'.repeat(100_000) },
          { file: '/b', content: 'b' },
        ],
        outputs: ['registry'],
      }
      const first = await machine(folder, 'one').run(spec, { cacheTo: [cache] })
      const sentBefore = uploads(registry.log())
      const second = await machine(folder, 'two').run(spec)
      expect(uploads(registry.log())).toBe(sentBefore)
      expect(second.images[0]?.digest).toBe(first.images[0]?.digest)
      const elsewhere = { ...spec, name: `${registry.host}/team/other` }
      const third = await machine(folder, 'three').run(elsewhere, { cacheFrom: [cache] })
      const layers = third.images[0]?.platforms.flatMap((platform) => platform.layers) ?? []
      expect(layers.map(({ cachedFrom }) => cachedFrom)).toEqual([cache, cache, cache, cache])
      for (const image of [name, elsewhere.name]) {
        const flags = ['inspect', '--tls-verify=false', '--override-os', 'linux']
        const inspected = execFileSync(skopeo, [...flags, `docker://${image}:latest`], { encoding: 'utf8' })
        expect(inspected).toContain(layers[0]?.digest)
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

/** How many uploads were finished, by the registry's own log. */
function uploads(log: string): number {
  return log.match(/"PUT \/v2\/\S+\/blobs\/uploads\//g)?.length ?? 0
}
