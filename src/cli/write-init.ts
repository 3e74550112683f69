/** What `init` does. */

import { existsSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { inspectFolder } from '../config/inspect-folder.ts'
import { configNames } from '../config/load-config.ts'
import { renderInit } from '../config/render-init.ts'
import { writeFileAtomic } from '../content/atomic-file.ts'
import { OciBuildError } from '../errors.ts'
import type { CliContext } from './context.ts'
import type { InitFlags } from './init.ts'

/** Writes the config and prints its path. Throws `OCB-USAGE-DIR`, `OCB-USAGE-CONFIG-EXISTS`. */
export function writeInit(dir: string | undefined, flags: InitFlags, context: CliContext): void {
  const { environment } = context
  const folder = resolve(environment.cwd, dir ?? '.')
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new OciBuildError('OCB-USAGE-DIR', {
      message: `${dir} is not a folder (${folder})`,
      hint: 'name a folder that exists',
    })
  }
  const format = flags.yaml === true ? 'yaml' : 'ts'
  const file = `oci.config.${format}`
  checkExisting(folder, file, flags.force === true)
  writeFileAtomic(join(folder, file), renderInit(inspectFolder(folder, environment), format))
  const shown = relative(environment.cwd, join(folder, file))
  const where = dir === undefined ? '' : ` ${dir.startsWith('.') || dir.startsWith('/') ? dir : `./${dir}`}`
  context.stdout(`${shown}\n`)
  context.stderr(
    `next:\n  ocibuild plan${where}   what would go into the image\n  ocibuild${where}        build it\n`,
  )
}

/** The config that counts is the first by name: one that is found earlier would hide the one that is written. */
function checkExisting(folder: string, file: string, force: boolean): void {
  const existing = configNames.find((name) => existsSync(join(folder, name)))
  if (existing === undefined || (existing === file && force)) return
  const hides = existing !== file && configNames.indexOf(existing) < configNames.indexOf(file)
  if (force && !hides) return
  throw new OciBuildError('OCB-USAGE-CONFIG-EXISTS', {
    message: `there is a config already: ${join(folder, existing)}`,
    hint: hides
      ? `remove ${existing} first: it is found before ${file}`
      : 'keep it, or replace it with "ocibuild init --force"',
  })
}
