/** Reading from mirrors first and from the host last: a mirror may lack things, lie or be down, and nothing is lost. */

import { messageOf, OciBuildError } from '../errors.ts'
import type { HostSession } from './host-session.ts'
import { readUrl } from './redact-url.ts'
import type { RegistryContext } from './registry-context.ts'
import { RegistryError } from './registry-error.ts'
import { createRepository, type Repository } from './repository.ts'
import { sessionFor } from './sessions.ts'

/** Tries of one request to a mirror. */
const mirrorAttempts = 2
/** Mirrors that could not be reached; they are not asked again. */
const down = new WeakSet<HostSession>()

/** The mirrors of a repository, in their order: `art.corp/hub` holds `library/node` as `hub/library/node`. */
export function mirrorsOf(context: RegistryContext, host: string, repository: string): readonly Repository[] {
  return context.settingsFor(host).mirrors.map((mirror) => {
    const [address = '', ...prefix] = mirror.replace(/\/+$/, '').split('/')
    if (address === '' || readUrl(`https://${address}/`) === undefined) {
      throw new OciBuildError('OCB-SPEC-REGISTRIES', {
        message: `"${mirror}" is not a mirror of ${host}; wanted HOST or HOST/PATH`,
        hint: 'write it without https://',
      })
    }
    const name = [...prefix, repository].join('/')
    return { ...createRepository(sessionFor(context, address), name, 'pull'), attempts: mirrorAttempts }
  })
}

/** The outcome of the first mirror at which `work` succeeds, else that of the host. Throws what happens at the host. */
export async function readFirst<T>(
  context: RegistryContext,
  mirrors: readonly Repository[],
  host: Repository,
  work: (repository: Repository) => Promise<T>,
): Promise<T> {
  for (const mirror of mirrors) {
    if (down.has(mirror.session)) continue
    try {
      return await work(mirror)
    } catch (error) {
      if (!(error instanceof OciBuildError) || error.code === 'OCB-INTERRUPTED') throw error
      if (error instanceof RegistryError && error.status === 404) continue
      if (error.code.startsWith('OCB-NETWORK-')) down.add(mirror.session)
      context.reporter?.warn(
        'OCB-REGISTRY-MIRROR',
        `the mirror ${mirror.session.host} of ${host.session.host} is passed over: ${messageOf(error)}`,
        'check the mirror, or take it out of registries',
      )
    }
  }
  return await work(host)
}
