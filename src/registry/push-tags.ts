/** Makes a manifest visible under tags, with as few requests as the registry allows. */

import type { Digest } from '../spec/digest.ts'
import { isNotFound } from './host-session.ts'
import { headManifest, putManifest, type RawManifest } from './manifests.ts'
import { keepReferrer } from './push-referrer.ts'
import { checkTag, type Repository } from './repository.ts'

/** What was learned of a registry, kept for the life of a store. */
export interface RegistryAbilities {
  /** Whether `?tag=` was obeyed; undefined: not tried. */
  manyTags?: boolean | undefined
  /** Whether a pushed subject was answered by OCI-Subject; undefined: not tried. */
  referrers?: boolean | undefined
}

/**
 * Puts a manifest under tags, or under its digest where there are none. Each tag is looked at first, since registries
 * with immutable tags refuse a second PUT of the very same manifest; not one that `named` knows for another's. Several
 * tags are tried as one PUT by digest with `?tag=`; each that OCI-Tag does not echo is PUT by itself. Gives the tags
 * that were changed. `load` is called when something is PUT. Throws `OCB-USAGE-TAG`, `RegistryError`.
 */
export async function pushWithTags(
  repository: Repository,
  abilities: RegistryAbilities,
  digest: Digest,
  load: () => Promise<RawManifest>,
  tags: readonly string[],
  signal: AbortSignal | undefined,
  named: (tag: string) => Digest | undefined = () => undefined,
): Promise<readonly string[]> {
  for (const tag of tags) checkTag(tag)
  const wanted: string[] = []
  for (const tag of new Set(tags)) {
    const before = named(tag)
    const isOther = before !== undefined && before !== digest
    if (isOther || (await digestOfTag(repository, tag, signal)) !== digest) wanted.push(tag)
  }
  const put = async (reference: string, query = ''): Promise<string> => {
    const manifest = await load()
    const response = await putManifest(repository, manifest, reference, signal, query)
    await keepReferrer(repository, abilities, manifest, response.header('oci-subject'), signal)
    return response.header('oci-tag') ?? ''
  }
  if (tags.length === 0) await put(digest)
  let rest: readonly string[] = wanted
  // For two a try that fails costs as much as one that succeeds saves, and few registries know it.
  if (wanted.length > 1 && (abilities.manyTags ?? wanted.length > 2)) {
    const query = wanted.map((tag) => `tag=${encodeURIComponent(tag)}`).join('&')
    const echoed = (await put(digest, `?${query}`)).split(',').map((tag) => tag.trim())
    rest = wanted.filter((tag) => !echoed.includes(tag))
    abilities.manyTags = rest.length < wanted.length
  }
  for (const tag of rest) await put(tag)
  return wanted
}

async function digestOfTag(
  repository: Repository,
  tag: string,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  try {
    return (await headManifest({ ...repository, pull: repository.push }, tag, signal)).digest
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
