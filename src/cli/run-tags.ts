/** What `tag`, `tags` and `delete` do. */

import { OciBuildError } from '../errors.ts'
import { hasStatus } from '../registry/registry-error.ts'
import { openRegistry } from '../registry/registry-store.ts'
import { parseReference } from '../spec/parse-reference.ts'
import { isTag, parseRepositoryReference } from '../spec/parse-repository.ts'
import type { RegistryReference } from '../spec/reference.ts'
import { openImage, openTagged } from '../transfer/places.ts'
import type { CliContext } from './context.ts'
import { withRegistries } from './registry-session.ts'
import type { TagFlags } from './tags.ts'

export async function runTag(
  ref: string,
  tags: readonly string[],
  flags: TagFlags,
  context: CliContext,
): Promise<void> {
  for (const tag of tags) {
    if (isTag(tag)) continue
    throw new OciBuildError('OCB-USAGE-TAG', {
      message: `"${tag}" is not a tag`,
      hint: tag.includes('/')
        ? 'write the tag alone; to another repository goes ocibuild copy'
        : 'write at most 128 letters, digits, dots, dashes and underscores',
    })
  }
  const reference = parseReference(ref, 'in')
  await withRegistries(context, [reference], async ({ places }) => {
    const { root } = await openImage(reference, places)
    const own = 'digest' in reference ? { ...reference, digest: undefined } : reference
    const { name, tagAll } = await openTagged(own, places)
    await tagAll(root, tags)
    const references = tags.map((tag) => `${name}:${tag}`)
    const view = { schemaVersion: 1, digest: root.digest, references }
    context.stdout(flags.json === true ? `${JSON.stringify(view, null, 2)}\n` : `${references.join('\n')}\n`)
  })
}

export async function printTags(text: string, flags: TagFlags, context: CliContext): Promise<void> {
  const repository = readRepository(text)
  const name = `${repository.host}/${repository.repository}`
  await withRegistries(context, [repository], async ({ places }) => {
    const { signal } = places
    const tags: string[] = []
    for await (const tag of openRegistry(repository, places.registries).listTags({ signal })) {
      if (flags.json === true) tags.push(tag)
      else context.stdout(`${tag}\n`)
    }
    if (flags.json === true) {
      context.stdout(`${JSON.stringify({ schemaVersion: 1, repository: name, tags }, null, 2)}\n`)
    }
  })
}

export async function runDelete(ref: string, flags: TagFlags, context: CliContext): Promise<void> {
  const reference = parseReference(ref, 'in')
  const parsed = parseRepositoryReference(ref.replace(/^docker:\/\//, ''))
  if (reference.transport !== 'docker' || 'problem' in parsed) {
    throw new OciBuildError('OCB-USAGE-REFERENCE', {
      message: `${ref} is in no registry`,
      hint: 'name HOST/NAME:TAG or HOST/NAME@DIGEST',
    })
  }
  const { host, repository, digest, tag = 'latest' } = reference
  // What is written out cannot be deleted by mistake.
  if (digest === undefined && !ref.endsWith(`:${tag}`)) {
    throw new OciBuildError('OCB-USAGE-REFERENCE', {
      message: `${ref} says neither which tag nor which digest`,
      hint: `write ${ref}:${tag}, if that is what shall go`,
    })
  }
  const name = `${host}/${repository}`
  const text = digest === undefined ? `${name}:${tag}` : `${name}@${digest}`
  await withRegistries(context, [reference], async ({ places }) => {
    const store = openRegistry(reference, places.registries, { access: 'push' })
    try {
      await store.deleteManifest(digest ?? tag, { signal: places.signal })
    } catch (error) {
      if (!hasStatus(error, 400, 404, 405, 501)) throw error
      throw error.with({
        hint:
          error.status === 404
            ? 'check the name; ocibuild tags lists what there is'
            : digest === undefined
              ? `the registry may not delete tags alone: ocibuild delete ${name}@$(ocibuild digest ${text}) deletes the manifest and every tag of it`
              : 'deleting has to be allowed in the settings of the registry',
      })
    }
    context.stdout(
      flags.json === true ? `${JSON.stringify({ schemaVersion: 1, deleted: text }, null, 2)}\n` : `${text}\n`,
    )
  })
}

/** `HOST/NAME` without tag and digest. Throws `OCB-USAGE-REPOSITORY`. */
export function readRepository(text: string): RegistryReference {
  const reference = parseReference(text, 'in')
  const bare = text.replace(/^docker:\/\//, '')
  const extra = bare.includes('@') || bare.slice(bare.lastIndexOf('/') + 1).includes(':')
  if (reference.transport === 'docker' && !extra) return reference
  throw new OciBuildError('OCB-USAGE-REPOSITORY', {
    message: `${text} is not a repository of a registry`,
    hint: 'write HOST/NAME, without tag and digest',
  })
}
