/** `--affected-since`: of the images of a spec those that a change reaches, and why. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WorkTree } from '../affected/changed-paths.ts'
import { pathBelow, realParents, realPath, type Input } from '../affected/input.ts'
import type { AffectedImages } from '../build-types.ts'
import type { ImageSpec, ResolvedSpec } from '../config/resolved-spec.ts'
import { lockFileName, lockKey, type Lock } from '../lock/lock.ts'
import { LockFault, parseLock } from '../lock/parse-lock.ts'
import type { Session } from './session.ts'

export interface Affected {
  /** With those images only that have to be built. */
  readonly spec: ResolvedSpec
  /** Undefined where nobody asked. */
  readonly affected: AffectedImages | undefined
}

/** Looks at git and at what images name; runs and reads nothing of them. Throws `OCB-USAGE-AFFECTED-SINCE`. */
export async function affectedImages(spec: ResolvedSpec, session: Session): Promise<Affected> {
  const { affectedSince: since } = session.options
  if (since === undefined) return { spec, affected: undefined }
  return session.reporter.step({ stage: 'config', title: `affected since ${since}` }, async (step) => {
    const { readWorkTree } = await import('../affected/changed-paths.ts')
    const { findReasons } = await import('../affected/find-affected.ts')
    const { packageWordsReason } = await import('../affected/package-words.ts')
    const whole = await readWorkTree(spec.folder, since, session.environment.variables)
    const tree = withoutOutputs(whole, [...spec.outputPaths, session.cacheDir])
    const ofPackage = await packageWordsReason(spec.folder, tree)
    const moved = await movedReferences(spec, tree)
    const shared = await configInputs(spec)
    const images: AffectedImages['images'][number][] = []
    for (const image of spec.images) {
      const found = await findReasons(image, tree, shared)
      const reasons = [...found, ...ofPackage, ...(await movedUnder(image, moved))]
      images.push({ image: image.image ?? null, name: image.name, affected: reasons.length > 0, reasons })
    }
    const wanted = spec.images.filter((_, index) => images[index]?.affected === true)
    step.finish({ detail: `${wanted.length} of ${images.length} images` })
    return { spec: { ...spec, images: wanted }, affected: { since, images } }
  })
}

/** What builds write is never copied. */
function withoutOutputs(tree: WorkTree, outputs: readonly string[]): WorkTree {
  const folders = outputs.map(realPath)
  const counts = (path: string): boolean => {
    const changed = join(tree.root, path)
    return folders.every((folder) => pathBelow(folder, changed) === undefined)
  }
  return { ...tree, changed: tree.changed.filter(counts) }
}

async function configInputs({ configFile }: ResolvedSpec): Promise<readonly Input[]> {
  if (configFile === undefined) return []
  const { configFiles } = await import('../affected/config-files.ts')
  return configFiles(configFile).map((file, index) => ({
    root: realParents(file),
    what: index === 0 ? 'the config file' : 'imported by the config file',
    optional: true,
  }))
}

/** References of `oci.lock` that are other images now, by key, and the lock's path. */
interface Moved {
  readonly path: string
  readonly keys: ReadonlySet<string>
}

async function movedReferences({ folder }: ResolvedSpec, tree: WorkTree): Promise<Moved | undefined> {
  const file = realParents(join(folder, lockFileName))
  const path = pathBelow(tree.root, file)
  if (path === undefined || !tree.changed.includes(path)) return undefined
  const before = digestsOf(await tree.textThen(path))
  const after = digestsOf(readIfThere(file))
  const keys = new Set(
    [...before.keys(), ...after.keys()].filter((key) => before.get(key) !== after.get(key)),
  )
  return { path, keys }
}

async function movedUnder(
  image: ImageSpec,
  moved: Moved | undefined,
): Promise<readonly { readonly path: string; readonly because: string }[]> {
  if (moved === undefined) return []
  const references = [image.base]
  for (const platform of image.platforms) {
    for (const { entries } of await image.layersFor(platform)) {
      for (const entry of entries) if (entry.verb === 'copy' && entry.from) references.push(entry.from)
    }
  }
  const keys = references.flatMap((one) => (one.transport === 'docker' ? lockKey(one) : []))
  const key = keys.find((one) => moved.keys.has(one))
  return key === undefined ? [] : [{ path: moved.path, because: `what ${key} is pinned to` }]
}

/** What references were pinned to; nothing where the text is no lock. */
function digestsOf(text: string | undefined): ReadonlyMap<string, string> {
  if (text === undefined) return new Map()
  let lock: Lock
  try {
    lock = parseLock(JSON.parse(text))
  } catch (error) {
    if (error instanceof LockFault || error instanceof SyntaxError) return new Map()
    throw error
  }
  return new Map(Array.from(lock.references, ([key, { root }]) => [key, root.digest]))
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
