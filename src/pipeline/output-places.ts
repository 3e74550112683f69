/** Where an image goes, and what it is called there. */

import type { ImageSpec, ResolvedSpec } from '../config/resolved-spec.ts'
import { OciBuildError } from '../errors.ts'
import { outputNames, type ImageName } from '../spec/output-names.ts'
import { formatReference, parseReference } from '../spec/parse-reference.ts'
import { parseRepositoryReference } from '../spec/parse-repository.ts'
import { formatPlatform } from '../spec/platform.ts'
import type { LayoutReference, Reference, RegistryReference } from '../spec/reference.ts'
import type { Session } from './session.ts'

export type Place = LayoutReference | RegistryReference

/** The outputs of an image's spec, `registry` as the repository that its name names. Throws `OCB-SPEC-NAME-HOST`. */
export function placesOf(spec: ImageSpec, session: Session): readonly Place[] {
  const places = spec.outputs.map((output) => placeOf(output, spec.name))
  if (spec.platformsDefaulted && places.some((place) => place.transport === 'docker')) {
    const platforms = spec.platforms.map(formatPlatform).join(', ')
    session.reporter.warn(
      'OCB-PLATFORM-DEFAULTED',
      `${spec.name} is pushed for ${platforms} only, since no platforms are set and that is this host's`,
      `set platforms: ['linux/amd64', 'linux/arm64'], or what the image is for`,
    )
  }
  return places
}

/** The registries that a spec pushes to, and those that caches are written to. Throws `OCB-SPEC-REFERENCE`. */
export function pushHostsOf(
  { images }: ResolvedSpec,
  cacheTo: readonly string[] | undefined,
): readonly string[] {
  const hosts = images.flatMap(({ name, outputs }) =>
    outputs.flatMap((output) => {
      if (output.transport === 'docker') return output.host
      if (output.transport !== 'registry') return []
      const parsed = parseRepositoryReference(name)
      return 'reference' in parsed ? parsed.reference.host : []
    }),
  )
  const caches = (cacheTo ?? []).map((text) => parseReference(text, 'out'))
  const cacheHosts = caches.flatMap((place) => (place.transport === 'docker' ? place.host : []))
  return Array.from(new Set([...hosts, ...cacheHosts]))
}

/** What the image is called in a place: tags, ref names, RepoTags. */
export function namesIn(place: Place, spec: ImageSpec): readonly ImageName[] {
  if (place.transport !== 'docker') return outputNames(place, spec.name, spec.tags)
  return tagsIn(place, spec).map((reference) => ({ reference, annotations: {} }))
}

/** `registry.example.com/team/app:1.4.0`, one for each tag. */
export function pushedReferences(place: RegistryReference, spec: ImageSpec): readonly string[] {
  const name = `${place.host}/${place.repository}`
  return tagsIn(place, spec).map((tag) => `${name}:${tag}`)
}

/** An output that names a tag has that one; else the spec's. */
function tagsIn(place: RegistryReference, spec: ImageSpec): readonly string[] {
  return place.tag === undefined ? spec.tags : [place.tag]
}

/** An output of a spec, `registry` as the repository that the name of the image names. Throws `OCB-SPEC-NAME-HOST`. */
export function placeOf(output: Reference, name: string): Place {
  if ('path' in output || output.transport === 'docker') return output
  if (output.transport !== 'registry') {
    throw new OciBuildError('OCB-SPEC-REFERENCE', {
      message: `${formatReference(output)} is no output`,
      hint: 'write to oci:DIR, oci-archive:FILE, docker-archive:FILE or registry',
    })
  }
  const parsed = parseRepositoryReference(name)
  if ('problem' in parsed || !parsed.hostWritten) {
    throw new OciBuildError('OCB-SPEC-NAME-HOST', {
      message: `cannot push "${name}": ${'problem' in parsed ? parsed.problem : 'it names no registry'}`,
      hint: `write the registry into the name, e.g. name: "registry.example.com/team/${name}"`,
    })
  }
  const { host, repository } = parsed.reference
  return { transport: 'docker', host, repository }
}
