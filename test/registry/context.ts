/** A registry context for tests: this machine, no credentials unless given, little patience. */

import { processEnvironment } from '../../src/environment.ts'
import type { Warning } from '../../src/events.ts'
import { createReporter } from '../../src/events.ts'
import type {
  RegistryContext,
  RegistryCredential,
  RegistryLimits,
  RegistrySettings,
} from '../../src/registry/registry-context.ts'

export interface TestContext extends RegistryContext {
  readonly warnings: readonly Warning[]
  /** Hosts whose credentials were asked for. */
  readonly asked: readonly string[]
}

export interface TestContextOptions {
  readonly credentials?: Readonly<Record<string, RegistryCredential>> | undefined
  readonly settings?: Readonly<Record<string, Partial<RegistrySettings>>> | undefined
  readonly limits?: Partial<RegistryLimits> | undefined
  readonly context?: Partial<RegistryContext> | undefined
  readonly variables?: Readonly<Record<string, string>> | undefined
}

export function testContext(options: TestContextOptions = {}): TestContext {
  const environment = { ...processEnvironment(), variables: options.variables ?? {} }
  const reporter = createReporter(undefined, undefined, environment.now)
  const asked: string[] = []
  return {
    environment,
    reporter,
    warnings: reporter.warnings,
    asked,
    settingsFor: (host) => ({ host, mirrors: [], insecure: false, ...options.settings?.[host] }),
    async credentialFor(host) {
      asked.push(host)
      return options.credentials?.[host]
    },
    ...options.context,
    limits: {
      retryDelayMs: 2,
      timeouts: { connectMs: 2000, headersMs: 1000, idleMs: 1000 },
      commitMs: 2000,
      ...options.limits,
    },
  }
}
