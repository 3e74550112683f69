/** A registry behind a proxy that spoils what its plan says, and a store that has to cope. */

import type { ByteStream } from '../../src/content/store.ts'
import type { RegistryLimits } from '../../src/registry/registry-context.ts'
import { openRegistry, type RegistryStore } from '../../src/registry/registry-store.ts'
import type { Descriptor } from '../../src/spec/descriptor.ts'
import { describeBytes } from '../helpers/images.ts'
import { startFaultProxy, type Fault, type FaultProxy } from '../helpers/registry/fault-proxy.ts'
import { forTest } from '../helpers/registry/for-test.ts'
import type { RegistryOptions } from '../helpers/registry/options.ts'
import { startRegistry, type TestRegistry } from '../helpers/registry/registry.ts'
import { testContext } from './context.ts'

export const large: Buffer = Buffer.alloc(300_000, 'abcdefg')
export const blob: Descriptor = describeBytes('application/octet-stream', large)
export async function* inPieces(): ByteStream {
  for (let at = 0; at < large.length; at += 50_000) yield large.subarray(at, at + 50_000)
}

export async function behindProxy(
  plan: readonly Fault[],
  options: { registry?: RegistryOptions; limits?: Partial<RegistryLimits>; spool?: string } = {},
): Promise<{ registry: TestRegistry; proxy: FaultProxy; store: RegistryStore }> {
  const registry = await forTest(startRegistry(options.registry))
  const proxy = await forTest(startFaultProxy(registry.origin))
  const base = testContext({ limits: { attempts: 4, ...options.limits } })
  const context =
    options.spool === undefined
      ? base
      : { ...base, environment: { ...base.environment, tempDir: options.spool } }
  const store = openRegistry({ host: proxy.host, repository: 'team/app' }, context)
  // The scheme is found out before the faults begin.
  await store.has(blob)
  registry.forgetRequests()
  proxy.follow(plan)
  return { registry, proxy, store }
}
