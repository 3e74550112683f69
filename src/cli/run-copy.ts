/** What `copy`, `push` and `pull` do. */

import { OciBuildError } from '../errors.ts'
import { isIndexType } from '../spec/media-type.ts'
import { formatReference, parseReference } from '../spec/parse-reference.ts'
import { isTag } from '../spec/parse-repository.ts'
import { parsePlatform } from '../spec/platform.ts'
import type { Reference } from '../spec/reference.ts'
import { deliverImage, nameOf, openImage, type NamedSource } from '../transfer/places.ts'
import { selectPlatform } from '../transfer/select-platform.ts'
import type { CliContext } from './context.ts'
import type { CopyFlags } from './copy.ts'
import { hostImagePlatform, readImageArgument } from './image-argument.ts'
import { createProgress } from './progress.ts'
import { withRegistries, type RegistrySession } from './registry-session.ts'

export async function runPush(
  references: readonly string[],
  flags: CopyFlags,
  context: CliContext,
): Promise<void> {
  const [first, second, ...rest] = references
  if (first === undefined || rest.length > 0) {
    throw new OciBuildError('OCB-USAGE-ARGUMENTS', {
      message: `push takes one image and one destination, not ${references.length} references`,
      hint: 'further tags are written with -t TAG',
    })
  }
  const source = second === undefined ? undefined : first
  const destination = parseReference(second ?? first, 'out')
  if (destination.transport !== 'docker') {
    throw new OciBuildError('OCB-USAGE-REFERENCE', {
      message: `push goes to a registry, and ${formatReference(destination)} is in none`,
      hint: 'write HOST/NAME:TAG, or use ocibuild copy',
    })
  }
  await transfer(readImageArgument(source, context.environment), destination, flags, context)
}

export async function runPull(
  text: string,
  destination: string | undefined,
  flags: CopyFlags,
  context: CliContext,
): Promise<void> {
  const source = parseReference(text, 'in')
  if (source.transport !== 'docker') {
    throw new OciBuildError('OCB-USAGE-REFERENCE', {
      message: `pull takes from a registry, and ${formatReference(source)} is in none`,
      hint: 'write HOST/NAME:TAG, or use ocibuild copy',
    })
  }
  const last = source.repository.slice(source.repository.lastIndexOf('/') + 1)
  await transfer(source, parseReference(destination ?? `oci:${last}`, 'out'), flags, context)
}

export async function runCopy(
  source: string,
  destination: string,
  flags: CopyFlags,
  context: CliContext,
): Promise<void> {
  await transfer(parseReference(source, 'in'), parseReference(destination, 'out'), flags, context)
}

async function transfer(
  from: Reference,
  to: Reference,
  flags: CopyFlags,
  context: CliContext,
): Promise<void> {
  const tags = flags.tag ?? []
  for (const tag of tags) if (!isTag(tag)) throw notTag(tag)
  const toStdout = 'path' in to && to.path === '-'
  if (flags.json === true && toStdout) {
    throw new OciBuildError('OCB-USAGE-OPTION', {
      message: '--json and an archive on stdout would mix there',
      hint: 'write the image to a file',
    })
  }
  const mode = flags.quiet === true ? 'none' : flags.progress
  const progress = await createProgress(mode, context, { warnings: flags.quiet !== true })
  // Without a host in its name a password is for where the image goes.
  const hosts = to.transport === 'docker' ? [to.host] : undefined
  try {
    const result = await withRegistries(
      context,
      [from, to],
      (session) => copyImage(from, to, tags, flags, session, context),
      {
        hosts,
        onEvent: progress.onEvent,
      },
    )
    progress.close('done')
    if (toStdout) return
    context.stdout(flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : `${result.reference}\n`)
  } catch (error) {
    progress.close('failed')
    throw error
  }
}

interface CopyResult {
  readonly schemaVersion: 1
  readonly reference: string
  readonly references: readonly string[]
  readonly digest: string
  readonly mediaType: string
  /** Blobs and documents that were sent, and those that were there already; bytes as stored. */
  readonly copied: { readonly count: number; readonly bytes: number }
  readonly present: { readonly count: number; readonly bytes: number }
}

async function copyImage(
  from: Reference,
  to: Reference,
  tags: readonly string[],
  flags: CopyFlags,
  { places, reporter }: RegistrySession,
  context: CliContext,
): Promise<CopyResult> {
  const names = nameOf(from)
  const source = await openImage(from, places)
  const root = await choose(source, to, flags, context)
  const image: NamedSource = { ...source, ...names, root }
  const counts = { copied: { count: 0, bytes: 0 }, present: { count: 0, bytes: 0 } }
  const title = `${formatReference(from)} to ${formatReference(to)}`
  const delivery = await reporter.step({ stage: 'output', title, unit: 'bytes' }, async (step) => {
    const done = await deliverImage(image, to, tags, places, {
      onBlob({ size }, outcome) {
        counts[outcome].count += 1
        counts[outcome].bytes += size
        step.progress(counts.copied.bytes)
      },
    })
    step.finish({ detail: root.digest, bytes: counts.copied.bytes, cached: counts.copied.count === 0 })
    return done
  })
  const { digest, mediaType } = root
  return { schemaVersion: 1, ...delivery, digest, mediaType, ...counts }
}

async function choose(
  { store, root }: Pick<NamedSource, 'store' | 'root'>,
  to: Reference,
  flags: CopyFlags,
  context: CliContext,
): Promise<NamedSource['root']> {
  const { signal, environment } = context
  if (flags.platform !== undefined) {
    return await selectPlatform(store, root, parsePlatform(flags.platform), { signal })
  }
  // What docker load takes has one platform.
  const one = to.transport === 'docker-archive' && isIndexType(root.mediaType)
  return one ? await selectPlatform(store, root, hostImagePlatform(environment), { signal }) : root
}

function notTag(tag: string): OciBuildError {
  return new OciBuildError('OCB-USAGE-TAG', {
    message: `--tag "${tag}" is not a tag`,
    hint: 'write at most 128 letters, digits, dots, dashes and underscores; a whole reference is the destination',
  })
}
