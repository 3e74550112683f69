/** The command as it is shipped, made anew beside nobody: others may be compiling into `dist`. */

import { spawnSync } from 'node:child_process'
import { cpSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'

const project = resolve(import.meta.dirname, '../..')

/** Into the folder `dir`, with what it needs around it; gives the path of the command. */
export function bundleCommand(dir: string): string {
  const script = `import { bundle } from ${JSON.stringify(join(project, 'scripts/lib/bundle.mjs'))}
    await bundle(${JSON.stringify(join(dir, 'dist'))})`
  const made = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`cannot bundle: ${made.stderr}`)
  cpSync(join(project, 'package.json'), join(dir, 'package.json'))
  for (const name of ['node_modules', 'schemas']) symlinkSync(join(project, name), join(dir, name))
  return join(dir, 'dist', 'cli.cjs')
}
