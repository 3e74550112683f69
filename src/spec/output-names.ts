/** The names that an image gets in an output on disk (contract, section 3). */

import { parseRepositoryReference, isTag } from './parse-repository.ts'
import type { LayoutReference } from './reference.ts'

export interface ImageName {
  /** A ref name; in a docker-archive a RepoTag. */
  readonly reference: string
  /** For the descriptor in index.json. */
  readonly annotations: Readonly<Record<string, string>>
}

/**
 * One name for each tag, or the one that the output's own REF gives. With a registry's host in the name of the image
 * the descriptor also gets the whole name for containerd.
 */
export function outputNames(
  output: LayoutReference,
  repository: string,
  tags: readonly string[],
): readonly ImageName[] {
  const references = output.ref === undefined ? tags : [output.ref]
  return references.map((reference) => {
    if (output.transport === 'docker-archive') {
      const name = repoTag(output, repository, reference)
      return { reference: name, annotations: containerdName(name) }
    }
    const whole = isTag(reference) ? `${repository}:${reference}` : reference
    return { reference, annotations: containerdName(whole) }
  })
}

// `docker-archive:FILE:NAME` names an image as docker does: without a tag it is `latest`.
function repoTag(output: LayoutReference, repository: string, reference: string): string {
  if (output.ref === undefined) return `${repository}:${reference}`
  const parsed = parseRepositoryReference(reference)
  const tagged = 'reference' in parsed && reference.endsWith(`:${parsed.reference.tag}`)
  return tagged || 'problem' in parsed ? reference : `${reference}:latest`
}

function containerdName(text: string): Readonly<Record<string, string>> {
  const parsed = parseRepositoryReference(text)
  if ('problem' in parsed || !parsed.hostWritten) return {}
  const { host, repository, tag } = parsed.reference
  return { 'io.containerd.image.name': `${host}/${repository}:${tag ?? 'latest'}` }
}
