/** An image that a spec names, as a base or in `from`: what comes from a registry is kept in the staging store. */

import { openResolvedReferences } from '../cache/resolved-references.ts'
import type { ImageSpec } from '../config/resolved-spec.ts'
import { cachedFetcher } from '../content/cached-fetcher.ts'
import { OciBuildError } from '../errors.ts'
import { openSource, type ImageSource } from '../open-target.ts'
import { formatReference, qualifiedName } from '../spec/parse-reference.ts'
import type { Reference, RegistryReference } from '../spec/reference.ts'
import type { Session } from './session.ts'

/**
 * Opens it. A tag of a registry is asked for on every build, unless `--offline`: then it is what it was when it was
 * asked for last. Throws `OCB-NETWORK-OFFLINE` where that is not known.
 */
export async function openSpecSource(
  reference: Reference,
  spec: ImageSpec,
  session: Session,
): Promise<ImageSource> {
  if (reference.transport === 'docker') return openRemembered(reference, session)
  const { environment, options, cache } = session
  return openSource(reference, {
    cwd: spec.root,
    spoolDir: cache.runDir,
    environment,
    signal: options.signal,
  })
}

async function openRemembered(reference: RegistryReference, session: Session): Promise<ImageSource> {
  const { staging, cache, environment, options, registries } = session
  const resolved = openResolvedReferences(cache.resolvedDir)
  const text = formatReference({ ...reference, tag: reference.digest ? undefined : reference.tag })
  const open = (): Promise<ImageSource> =>
    openSource(reference, {
      cwd: session.cwd,
      spoolDir: cache.runDir,
      environment,
      signal: options.signal,
      openRegistries: () => registries.context(),
    })
  if (options.offline === true) {
    const root = resolved.lookup(text)
    if (root === undefined) {
      throw new OciBuildError('OCB-NETWORK-OFFLINE', {
        message: `${text} was never resolved on this machine, and --offline forbids to ask its registry`,
        hint: 'build once without --offline',
      })
    }
    const far = async (): Promise<ImageSource['store']> => (await open()).store
    return { store: cachedFetcher(staging, far), root, name: qualifiedName(reference) }
  }
  const source = await open()
  resolved.remember(text, source.root)
  return { ...source, store: cachedFetcher(staging, async () => source.store) }
}
