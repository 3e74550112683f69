/** What `init` does. */

import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { ConfigFormat } from '../config/config-text.ts'
import { inspectFolder } from '../config/inspect-folder.ts'
import { configNames } from '../config/load-config.ts'
import { renderInit } from '../config/render-init.ts'
import type { Environment } from '../environment.ts'
import { OciBuildError } from '../errors.ts'
import type { CliContext } from './context.ts'
import { existingDir, looksLikeDir } from './existing-dir.ts'
import { formatTable } from './format.ts'
import type { InitFlags } from './init.ts'
import { ownName } from './own-name.ts'
import { writeFileFor } from './write-file.ts'

/**
 * Writes the config and prints its path. Throws `OCB-USAGE-DIR`, `OCB-USAGE-CONFIG-EXISTS`, and what looking at a
 * Node.js project throws.
 */
export async function writeInit(
  dir: string | undefined,
  flags: InitFlags,
  context: CliContext,
): Promise<void> {
  const { environment } = context
  const folder = existingDir(dir ?? '.', environment.cwd)
  const format = flags.yaml === true ? 'yaml' : 'ts'
  const file = `oci.config.${format}`
  checkExisting(folder, file, flags.force === true)
  writeFileFor(join(folder, file), await renderFolder(folder, format, environment))
  const written = relative(environment.cwd, join(folder, file))
  if (flags.json === true) {
    return context.stdout(`${JSON.stringify({ schemaVersion: 1, file: written }, null, 2)}\n`)
  }
  context.stdout(`${written}\n`)
  const where = dir === undefined ? '' : ` ${looksLikeDir(dir) ? dir : `./${dir}`}`
  const self = ownName(environment)
  const commands = [
    [`${self}${where}`, 'build it'],
    [`${self} plan${where}`, 'show what goes into each layer'],
  ]
  context.stderr(`next:\n${formatTable(commands, { indent: '  ' }).join('\n')}\n`)
}

async function renderFolder(folder: string, format: ConfigFormat, environment: Environment): Promise<string> {
  if (!existsSync(join(folder, 'package.json'))) return renderInit(inspectFolder(folder), environment, format)
  const { detectProject } = await import('../node/project/detect-project.ts')
  const { renderProjectInit } = await import('../node/project/init-config.ts')
  return renderProjectInit(await detectProject(folder, undefined), environment, format)
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
