/** A repository of git with one commit, in which tests change things and ask which images that reaches. */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { resolveConfig } from '../../src/config/resolve-config.ts'
import { processEnvironment, type Environment } from '../../src/environment.ts'
import { affectedImages } from '../../src/pipeline/affected-images.ts'
import { withSession } from '../../src/pipeline/session.ts'

export interface Repository {
  readonly folder: string
  readonly environment: Environment
  write(files: Readonly<Record<string, string>>): void
  remove(path: string): void
  git(...args: string[]): void
  /** The keys of the images that a change since the first commit reaches, each with the first reason. */
  affected(config?: string): Promise<Readonly<Record<string, string>>>
}

const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Commits `files`; what its `.gitignore` names is there and not in the commit. */
export function repository(files: Readonly<Record<string, string>>): Repository {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ocibuild-affected-')))
  made.push(folder)
  const own = processEnvironment()
  const environment: Environment = {
    ...own,
    cwd: folder,
    variables: { ...own.variables, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  }
  const write: Repository['write'] = (more) => {
    for (const [path, text] of Object.entries(more)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
  }
  const git: Repository['git'] = (...args) => {
    const identity = ['-c', 'user.name=a', '-c', 'user.email=a@b']
    execFileSync('git', [...identity, ...args], { cwd: folder, env: environment.variables, stdio: 'pipe' })
  }
  write(files)
  git('init', '-q', '-b', 'main')
  git('add', '.')
  git('commit', '-q', '-m', 'one')
  git('tag', 'start')
  return {
    folder,
    environment,
    write,
    git,
    remove: (path) => rmSync(join(folder, path), { recursive: true }),
    async affected(config) {
      const options = { cwd: folder, environment, cache: false, affectedSince: 'start' }
      const all = await withSession(options, async (session) => {
        const loaded = await loadConfig({ cwd: folder, config, environment })
        const resolved = await resolveConfig(loaded, {}, { cwd: folder, images: undefined, environment })
        return (await affectedImages(resolved, session)).affected
      })
      const found = all?.images.filter((image) => image.affected) ?? []
      return Object.fromEntries(
        found.map(({ image, name, reasons: [first] }) => [
          image ?? name,
          `${first?.path}: ${first?.because}`,
        ]),
      )
    },
  }
}
