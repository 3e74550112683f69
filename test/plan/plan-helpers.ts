/** Plans entries over folders that tests make. */

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { EntryOf, EntrySpec } from '../../src/config/resolved-spec.ts'
import { processEnvironment, type Environment } from '../../src/environment.ts'
import { OciBuildError } from '../../src/errors.ts'
import { createReporter } from '../../src/events.ts'
import type { PlanContext } from '../../src/plan/plan-context.ts'
import { eachPlacement } from '../../src/plan/placed-tree.ts'
import { planLayers } from '../../src/plan/plan-layers.ts'
import type { HiddenBy, Placement } from '../../src/plan/placement.ts'
import { walkFolder } from '../../src/plan/walk-folder.ts'
import type { Random } from '../helpers/fixture-tree.ts'

/** What a path of a test's folder is: text, a link, a folder, or a file with a mode. */
export type Made =
  | string
  | null
  | { readonly link: string }
  | { readonly text: string; readonly mode: number }

/** A fresh folder that is removed after the test. */
export function makeFolder(files: Readonly<Record<string, Made>> = {}): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'ocibuild-plan-')))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  fillFolder(root, files)
  return root
}

export function fillFolder(root: string, files: Readonly<Record<string, Made>>): void {
  for (const [path, made] of Object.entries(files)) {
    const full = join(root, path)
    mkdirSync(made === null ? full : dirname(full), { recursive: true })
    if (made === null) continue
    if (typeof made === 'string') writeFileSync(full, made, { mode: 0o644 })
    else if ('link' in made) symlinkSync(made.link, full)
    else {
      writeFileSync(full, made.text)
      chmodSync(full, made.mode)
    }
  }
}

export function planContext(root: string, overrides: Partial<PlanContext> = {}): PlanContext {
  const environment: Environment = overrides.environment ?? processEnvironment()
  return {
    platform: { os: 'linux', architecture: 'amd64' },
    specRoot: root,
    spoolDir: join(root, '.spool'),
    excludedPaths: [],
    reporter: createReporter(undefined, undefined, environment.now),
    openImage: async () => {
      throw new Error('no image is open in this test')
    },
    blobs: {
      find: async () => undefined,
      fileOf: async () => undefined,
      ingest: async () => {
        throw new Error('nothing is kept in this test')
      },
    },
    offline: false,
    environment,
    ...overrides,
  }
}

/** A copy entry with every default filled in. */
export function copyEntry(
  root: string,
  copy: string | readonly string[],
  to: string,
  rest: Partial<EntryOf<'copy'>> = {},
): EntryOf<'copy'> {
  return {
    at: 'layers[0].entries[0]',
    verb: 'copy',
    copy: typeof copy === 'string' ? [copy] : copy,
    list: typeof copy !== 'string',
    to,
    include: undefined,
    exclude: [],
    mode: undefined,
    dirMode: undefined,
    owner: undefined,
    mtime: 'content',
    root,
    follow: false,
    hardLinks: 'copy',
    ...rest,
  }
}

export async function planEntries(
  entries: readonly EntrySpec[],
  context: PlanContext,
): Promise<{ readonly placements: readonly Placement[]; readonly hidden: readonly HiddenBy[] }> {
  const layer = { at: 'layers[0]', name: 'app', entries, compression: { type: 'none' } } as const
  const { layers, hidden } = await planLayers([layer], context)
  return { placements: [...eachPlacement(layers[0]?.placements ?? [])], hidden }
}

/** `/app/`, `/app/a.js`, `/app/l -> a.js`, `/app/h => /app/a.js`: one line a placement. */
export function lines(placements: readonly Placement[]): readonly string[] {
  return placements.map((placement) => {
    if (placement.type === 'directory') return placement.path === '/' ? '/' : `${placement.path}/`
    if (placement.type === 'symlink') return `${placement.path} -> ${placement.target}`
    if (placement.type === 'hardlink') return `${placement.path} => ${placement.target}`
    return placement.type === 'file' ? placement.path : `${placement.type} ${placement.path}`
  })
}

/** Plans a copy and gives its lines. */
export async function copyLines(
  root: string,
  copy: string | readonly string[],
  to: string,
  rest: Partial<EntryOf<'copy'>> = {},
): Promise<readonly string[]> {
  const { placements } = await planEntries([copyEntry(root, copy, to, rest)], planContext(root))
  return lines(placements)
}

/** The error of a promise that must reject with an OciBuildError. */
export async function failureOf(promise: Promise<unknown>): Promise<OciBuildError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof OciBuildError) return error
    throw error
  }
  throw new Error('it did not fail')
}

/** Adds, removes, renames or writes something below a folder. */
export function editFolder(root: string, random: Random): void {
  const pick = <T>(list: readonly T[]): T | undefined => list[random.below(list.length)]
  const nothing = { paths: new Set<string>(), parents: new Set<string>() }
  const found = walkFolder(root, { excluded: nothing, filter: undefined, followRoot: undefined })
  const one = pick(found)
  const folder = pick([{ hostPath: root }, ...found.filter(({ type }) => type === 'directory')])
  const fresh = join(folder?.hostPath ?? root, `n${random.below(20)}`)
  const action = pick(['add', 'folder', 'link', 'remove', 'rename', 'write'])
  const isTaken = found.some(({ hostPath }) => hostPath === fresh)
  if (action === 'add' && !isTaken) writeFileSync(fresh, 'text')
  else if (action === 'folder') mkdirSync(isTaken ? dirname(fresh) : fresh, { recursive: true })
  else if (action === 'link' && !isTaken) symlinkSync('anywhere', fresh)
  else if (one === undefined) return
  else if (action === 'remove') rmSync(one.hostPath, { recursive: true })
  else if (action === 'rename' && !isTaken && !fresh.startsWith(one.hostPath)) renameSync(one.hostPath, fresh)
  else if (action === 'write' && one.type === 'file') writeFileSync(one.hostPath, random.text(9))
}
