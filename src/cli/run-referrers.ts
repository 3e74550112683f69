/** What `referrers` and `attach` do. */

import { resolve } from 'node:path'
import { OciBuildError } from '../errors.ts'
import { openRegistry, type RegistryStore } from '../registry/registry-store.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { formatReference, parseReference } from '../spec/parse-reference.ts'
import { parsePlatform } from '../spec/platform.ts'
import type { RegistryReference } from '../spec/reference.ts'
import { attachFile } from '../transfer/attach-file.ts'
import { wantedOf } from '../transfer/places.ts'
import { selectPlatform } from '../transfer/select-platform.ts'
import { parsePairs } from './build-options.ts'
import type { CliContext } from './context.ts'
import { formatBytes, formatTable } from './format.ts'
import { printable } from './printable.ts'
import type { AttachFlags, ReferrersFlags } from './referrers.ts'
import { withRegistries, type RegistrySession } from './registry-session.ts'

export async function printReferrers(ref: string, flags: ReferrersFlags, context: CliContext): Promise<void> {
  const reference = inRegistry(ref)
  await withRegistries(context, [reference], async (session) => {
    const { store, subject } = await openSubject(reference, flags.platform, 'pull', session)
    const { manifests } = await store.referrers(subject.digest, flags.artifactType, session.places)
    if (flags.json === true) {
      const view = { schemaVersion: 1, subject: subject.digest, referrers: manifests }
      return context.stdout(`${JSON.stringify(view, null, 2)}\n`)
    }
    const rows = manifests.map(({ digest, artifactType = '-', size }) => [
      digest,
      printable(artifactType),
      formatBytes(size),
    ])
    for (const line of formatTable(rows, { right: [2] })) context.stdout(`${line}\n`)
  })
}

export async function runAttach(
  file: string,
  ref: string,
  flags: AttachFlags,
  context: CliContext,
): Promise<void> {
  const reference = inRegistry(ref)
  const annotations = parsePairs('--annotation', flags.annotation)
  const path = resolve(context.environment.cwd, file)
  await withRegistries(
    context,
    [reference],
    async (session) => {
      const { store, subject } = await openSubject(reference, flags.platform, 'push', session)
      const root = await attachFile(store, path, subject, {
        artifactType: flags.type,
        mediaType: flags.mediaType,
        annotations,
        signal: context.signal,
      })
      const name = `${reference.host}/${reference.repository}`
      const view = {
        schemaVersion: 1,
        reference: `${name}@${root.digest}`,
        digest: root.digest,
        artifactType: flags.type,
        subject: `${name}@${subject.digest}`,
      }
      context.stdout(flags.json === true ? `${JSON.stringify(view, null, 2)}\n` : `${view.reference}\n`)
    },
    { hosts: [reference.host] },
  )
}

async function openSubject(
  reference: RegistryReference,
  platform: string | undefined,
  access: 'pull' | 'push',
  { places }: RegistrySession,
): Promise<{ readonly store: RegistryStore; readonly subject: Descriptor }> {
  const { signal } = places
  // Mirrors are not asked: what they hold of referrers may be old, and nothing is written to them.
  const store = openRegistry(reference, places.registries, { access, mirrors: false })
  const root = await store.resolve(wantedOf(reference), { signal })
  const subject =
    platform === undefined ? root : await selectPlatform(store, root, parsePlatform(platform), { signal })
  return { store, subject }
}

function inRegistry(ref: string): RegistryReference {
  const reference = parseReference(ref, 'in')
  if (reference.transport === 'docker') return reference
  throw new OciBuildError('OCB-USAGE-REFERENCE', {
    message: `${formatReference(reference)} is in no registry`,
    hint: 'push the image first and write HOST/NAME:TAG',
  })
}
