/** Changes the index that a tag names, when others may change it at the same time and nothing can be locked. */

import { setTimeout as sleep } from 'node:timers/promises'
import { sha256 } from '../content/hash.ts'
import type { StoreOptions, Target } from '../content/store.ts'
import { OciBuildError, throwIfAborted } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { ImageIndex } from '../spec/image-index.ts'
import { encodeJson } from '../spec/json.ts'
import { isIndexType, mediaTypes } from '../spec/media-type.ts'
import { readAsIndex } from './index-entries.ts'

export interface EditIndexOptions extends StoreOptions {
  /** How long to wait at least before looking whether another writer was faster, in milliseconds. Default 400. */
  readonly settleMs?: number | undefined
  /** Monotonic milliseconds: with it the wait is also three times as long as a look and a write took. */
  readonly now?: (() => number) | undefined
  /** Default 12. */
  readonly attempts?: number | undefined
  /** Default `Math.random`: keeps two writers from meeting again and again. */
  readonly random?: (() => number) | undefined
}

/**
 * Applies `edit` to the index behind `tag` until the tag names an index that `edit` leaves as it is, which is looked
 * at again after a wait: registries know no conditional write, so another writer's index may have replaced ours
 * unseen. `edit` gets undefined where there is no such tag, and must give the same when it is applied twice. What it
 * names must be in `target` already. Gives the index's descriptor. Throws `OCB-INDEX-CONTESTED`, and what `edit` and
 * the store throw.
 */
export async function editIndex(
  target: Target,
  tag: string,
  edit: (index: ImageIndex | undefined) => ImageIndex,
  options: EditIndexOptions = {},
): Promise<Descriptor> {
  const { signal, settleMs = 400, attempts = 12, random = Math.random, now = () => 0 } = options
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const current = await resolveTag(target, tag, options)
    const before = current && (await readAsIndex(target, current, options))
    const after = { ...edit(before), mediaType: mediaTypes.index }
    const bytes = encodeJson(after)
    if (current && before && isIndexType(current.mediaType) && sameDocument(before, after)) return current
    const next: Descriptor = { mediaType: mediaTypes.index, digest: sha256(bytes), size: bytes.length }
    if (!(await target.has(next, options))) await target.push(next, oneChunk(bytes), options)
    // The last look before the write keeps the window in which two writers miss each other as small as it gets.
    const beganMs = now()
    const latest = await resolveTag(target, tag, options)
    if (latest?.digest === current?.digest) {
      await target.tag(next, tag, options)
      // Others need as long as we do from their last look to their write.
      await pause(Math.max(settleMs, 3 * (now() - beganMs)) * (1 + random()), signal)
    } else await pause(settleMs * random() * attempt, signal)
  }
  throw new OciBuildError('OCB-INDEX-CONTESTED', {
    message: `the index "${tag}" was changed by others ${attempts} times while it was being changed here`,
    hint: 'run the command again, or let one job make the index with "index create" after the others',
  })
}

/** The descriptor behind a tag; undefined where there is none. */
async function resolveTag(
  target: Target,
  tag: string,
  options: StoreOptions,
): Promise<Descriptor | undefined> {
  try {
    return await target.resolve(tag, options)
  } catch (error) {
    if (error instanceof OciBuildError && error.code === 'OCB-REFERENCE-NOT-FOUND') return undefined
    throw error
  }
}

// Another's encoding of the same index stays as it is.
function sameDocument(before: ImageIndex, after: ImageIndex): boolean {
  const comparable = { ...before, mediaType: mediaTypes.index }
  return Buffer.compare(encodeJson(comparable), encodeJson(after)) === 0
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal && { signal }).catch(() => undefined)
  throwIfAborted(signal)
}
