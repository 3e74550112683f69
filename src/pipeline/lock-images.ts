/** `oci.lock` in the pipeline: obeyed by builds and plans, written by `lock`, compared by `lock --check`. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { LockCheck, LockResult } from '../build-types.ts'
import type { ResolvedSpec } from '../config/resolved-spec.ts'
import { OciBuildError } from '../errors.ts'
import { compareLocks } from '../lock/compare-locks.ts'
import { lockFileName, lockKey, type Lock } from '../lock/lock.ts'
import { readLockFile, writeLockFile } from '../lock/lock-file.ts'
import { obeyLock } from '../lock/obey-lock.ts'
import type { Pins } from '../lock/pins.ts'
import { recordLock } from '../lock/record-lock.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { parseReference } from '../spec/parse-reference.ts'
import type { RegistryReference } from '../spec/reference.ts'
import { planImages } from './plan-image.ts'
import type { Session } from './session.ts'

/** What a build takes references for: as `oci.lock` says, where there is one. Throws `OCB-LOCK-INVALID`. */
export async function openPins(spec: ResolvedSpec, { options, reporter }: Session): Promise<Pins> {
  return obeyLock(await readLockFile(lockFile(spec)), { frozen: options.frozen === true }, reporter)
}

/**
 * Plans every image for every platform on its real base, and writes what was resolved and asked. With `update` (also an
 * empty one) only those references are resolved again, and those that the lock lacks. A lock that cannot be read is replaced.
 */
export async function writeLock(
  spec: ResolvedSpec,
  update: readonly string[] | undefined,
  session: Session,
): Promise<LockResult> {
  const file = lockFile(spec)
  const before = await readOldLock(file, session)
  const record = async (kept: ReadonlyMap<string, Descriptor>): Promise<Lock> => {
    const recorder = recordLock(kept)
    await planImages(spec, { session, pins: recorder })
    return recorder.lock()
  }
  let lock = await record(keptRoots(before, update))
  const unknown = update?.find((text) => !Array.from(lock.references.keys()).some((key) => names(text, key)))
  if (unknown !== undefined) {
    throw new OciBuildError('OCB-USAGE-LOCK-REFERENCE', {
      message: `nothing in the spec is "${unknown}"; it uses ${Array.from(lock.references.keys()).join(', ') || 'no registry'}`,
      hint: 'name one of these, or leave --update out',
    })
  }
  session.checkStrict()
  const isNew = !existsSync(file)
  const written = writeLockFile(file, lock)
  if (isNew && lock.references.size > 0) {
    // A copy of the folder takes the lock itself along, and did not yet.
    lock = await record(rootsOf(lock))
    writeLockFile(file, lock)
  }
  return {
    schemaVersion: 1,
    file,
    written,
    references: compareLocks(before, lock),
    warnings: session.warnings,
  }
}

/** Resolves every reference of the spec again, and compares; writes nothing. */
export async function checkLock(spec: ResolvedSpec, session: Session): Promise<LockCheck> {
  const file = lockFile(spec)
  const lock = await readLockFile(file)
  const { openRegistrySource } = await import('../open-registry.ts')
  const used = await registryReferences(spec)
  const references: LockCheck['references'][number][] = []
  for (const [key, reference] of used) {
    const locked = lock?.references.get(key)?.root.digest
    // What a digest names cannot change.
    if (reference.digest !== undefined && locked !== undefined) {
      references.push({ reference: key, status: 'current', locked, current: locked })
      continue
    }
    const { root } = await openRegistrySource(reference, await session.registries.context())
    const status = locked === undefined ? 'missing' : locked === root.digest ? 'current' : 'outdated'
    references.push({ reference: key, status, locked, current: root.digest })
  }
  for (const [key, { root }] of lock?.references ?? []) {
    if (!used.has(key)) references.push({ reference: key, status: 'unused', locked: root.digest })
  }
  session.checkStrict()
  const upToDate = references.every(({ status }) => status === 'current' || status === 'unused')
  return { schemaVersion: 1, file, upToDate, references, warnings: session.warnings }
}

function lockFile({ folder }: ResolvedSpec): string {
  return join(folder, lockFileName)
}

async function readOldLock(file: string, { reporter }: Session): Promise<Lock | undefined> {
  try {
    return await readLockFile(file)
  } catch (error) {
    if (!(error instanceof OciBuildError) || error.code !== 'OCB-LOCK-INVALID') throw error
    reporter.warn('OCB-LOCK-INVALID', `${error.message}; it is written anew`)
    return undefined
  }
}

function keptRoots(
  before: Lock | undefined,
  update: readonly string[] | undefined,
): ReadonlyMap<string, Descriptor> {
  if (before === undefined || update === undefined) return new Map()
  const kept = Array.from(rootsOf(before)).filter(([key]) => !update.some((text) => names(text, key)))
  return new Map(kept)
}

function rootsOf({ references }: Lock): ReadonlyMap<string, Descriptor> {
  return new Map(Array.from(references, ([key, { root }]) => [key, root]))
}

/** Whether a user's word is the reference: as it stands in a spec, or in the lock. */
function names(text: string, key: string): boolean {
  const reference = parseReference(text, 'in')
  return reference.transport === 'docker' && lockKey(reference) === key
}

/** All that the spec names in registries, by key, in the order of the images. */
async function registryReferences(spec: ResolvedSpec): Promise<ReadonlyMap<string, RegistryReference>> {
  const found = new Map<string, RegistryReference>()
  for (const image of spec.images) {
    if (image.base.transport === 'docker') found.set(lockKey(image.base), image.base)
    for (const platform of image.platforms) {
      for (const { entries } of await image.layersFor(platform)) {
        for (const entry of entries) {
          const from = entry.verb === 'copy' ? entry.from : undefined
          if (from?.transport === 'docker') found.set(lockKey(from), from)
        }
      }
    }
  }
  return found
}
