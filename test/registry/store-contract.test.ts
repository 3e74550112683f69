/** The contract suite over registries: the strict one of the tests, and Debian's docker-registry. */

import { describe } from 'vitest'
import { openRegistry } from '../../src/registry/registry-store.ts'
import { closeRegistries } from '../../src/registry/sessions.ts'
import { describeStoreContract } from '../contract/store-contract.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { startDockerRegistry } from '../helpers/registry/docker-registry.ts'
import type { RegistryOptions } from '../helpers/registry/options.ts'
import { startRegistry } from '../helpers/registry/registry.ts'
import { testContext } from './context.ts'

const user = { username: 'ann', password: 'open sesame' }
const kinds: Readonly<Record<string, RegistryOptions>> = {
  'a strict registry': {},
  'a registry with relative Locations and critical queries': {
    uploadLocation: 'relative',
    criticalQuery: true,
  },
  'a registry that takes uploads on another host': { uploadLocation: 'other-host' },
  'a registry that keeps blobs on another host': { blobs: 'other-host' },
  'a registry with Basic': { authentication: { kind: 'basic', ...user } },
  'a registry with tokens of another host': { authentication: { kind: 'bearer', server: 'other', ...user } },
}

for (const [title, options] of Object.entries(kinds)) {
  describeStoreContract(title, async () => {
    const registry = await startRegistry(options)
    const context = testContext({ credentials: { [registry.host]: { kind: 'basic', ...user } } })
    return {
      store: openRegistry({ host: registry.host, repository: 'team/app' }, context),
      reference: (name) => name,
      async dispose() {
        await closeRegistries(context)
        await registry.close()
      },
    }
  })
}

describeWithPeers('over Debian', ['docker-registry'], () => {
  describe('anonymous', () => {
    describeStoreContract("Debian's docker-registry", async () => {
      const registry = await startDockerRegistry()
      const context = testContext()
      return {
        store: openRegistry({ host: registry.host, repository: 'team/app' }, context),
        reference: (name) => name,
        async dispose() {
          await closeRegistries(context)
          await registry.close()
        },
      }
    })
  })
})
