/** Node.js projects made by hand in temporary folders. */

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { OciBuildError } from '../../../src/errors.ts'

/** Paths and texts; an object is written as JSON, `-> target` makes a link. */
export type Files = Readonly<Record<string, string | Uint8Array | object>>

const folders: string[] = []

/** Absolute, links followed. */
export function makeProject(files: Files): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'ocibuild-project-')))
  folders.push(root)
  addFiles(root, files)
  return root
}

export function addFiles(root: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name)
    mkdirSync(dirname(path), { recursive: true })
    const link = typeof content === 'string' ? /^-> (.+)$/.exec(content)?.[1] : undefined
    if (link !== undefined) symlinkSync(link, path)
    else if (typeof content === 'string' || content instanceof Uint8Array) writeFileSync(path, content)
    else writeFileSync(path, JSON.stringify(content))
  }
}

export function removeProjects(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

/** What something throws; fails when it does not. */
export async function errorOf(work: () => unknown): Promise<OciBuildError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof OciBuildError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
