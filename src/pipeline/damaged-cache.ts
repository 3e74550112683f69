/** A cached blob whose bytes went bad on disk: found when it is copied, removed so that the next build makes it anew. */

import { rmSync } from 'node:fs'
import { verifyStream } from '../content/hash.ts'
import { OciBuildError } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { StagedImage } from './build-image.ts'
import type { Session } from './session.ts'

/**
 * What to throw in place of a copy's `OCB-CONTENT-MISMATCH`: `OCB-CACHE-DAMAGED` where blobs of the staging store were
 * bad and are gone now, else the error as it came.
 */
export async function explainMismatch(
  error: unknown,
  images: readonly StagedImage[],
  session: Session,
): Promise<unknown> {
  if (!(error instanceof OciBuildError) || error.code !== 'OCB-CONTENT-MISMATCH') return error
  const removed: string[] = []
  for (const blob of images.flatMap(stagedBlobs)) {
    const file = await session.staging.fileOf(blob)
    if (file === undefined || (await isSound(blob, session))) continue
    rmSync(file.path, { force: true })
    removed.push(blob.digest)
  }
  if (removed.length === 0) return error
  return new OciBuildError('OCB-CACHE-DAMAGED', {
    message: `the cache held damaged bytes of ${removed.join(', ')}; they were removed, and no output was changed`,
    hint: 'build again',
    cause: error,
  })
}

function stagedBlobs({ root, platforms }: StagedImage): readonly Descriptor[] {
  const inner = platforms.flatMap(({ image, layers }) => [
    image.descriptor,
    image.config,
    ...layers.map((layer) => layer.descriptor),
  ])
  return [root, ...inner]
}

async function isSound(blob: Descriptor, session: Session): Promise<boolean> {
  try {
    const content = await session.staging.fetch(blob, { signal: session.options.signal })
    for await (const chunk of verifyStream(blob, content)) void chunk
    return true
  } catch (error) {
    if (error instanceof OciBuildError && error.code === 'OCB-CONTENT-MISMATCH') return false
    throw error
  }
}
