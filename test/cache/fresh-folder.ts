/** A folder that is empty before each test of a file, and gone after the last. */

import { mkdirSync, rmSync } from 'node:fs'
import { afterAll, beforeEach } from 'vitest'
import { temporaryFolder } from '../helpers/unpack.ts'

/** To be called once, outside of tests. */
export function freshFolder(): string {
  const folder = temporaryFolder()
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  beforeEach(() => {
    remove()
    mkdirSync(folder)
  })
  afterAll(remove)
  return folder
}
