/** Packages that something changes after they are installed: a lockfile alone does not know of it. */

import { existsSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { isPlainObject } from '../../config/check-shape.ts'
import { readPackageJson } from '../../config/package-json.ts'
import { OciBuildError } from '../../errors.ts'
import type { Project } from '../project/detect-project.ts'
import { installInstead } from './lockfile-error.ts'

/** Scripts that package managers run around an install, in their order. */
const installing = [
  'preinstall',
  'install',
  'postinstall',
  'prepublish',
  'preprepare',
  'prepare',
  'postprepare',
]

/** Refuses `patch-package`. Throws `OCB-NODE-LOCKFILE-CHANGED`. */
export function refusePatchers({ manifest, rootManifest }: Project): void {
  for (const { scripts } of [rootManifest, manifest]) {
    const script = installing.find((name) => /(?:^|[\s;&|/])patch-package(?:\s|$)/.test(scripts[name] ?? ''))
    if (script === undefined) continue
    throw new OciBuildError('OCB-NODE-LOCKFILE-CHANGED', {
      message: `scripts.${script} "${scripts[script] ?? ''}" runs patch-package, which changes packages after they are installed: the lockfile does not know of it`,
      hint: `${installInstead}; pnpm's patchedDependencies are applied`,
    })
  }
}

/** Refuses a Prisma client that is written into node_modules; `names` are the dependencies. Throws `OCB-NODE-LOCKFILE-CHANGED`. */
export function refuseGenerated({ root, folder }: Project, names: readonly string[]): void {
  if (!names.includes('@prisma/client')) return
  for (const place of new Set([folder, root])) {
    const path = findSchema(place)
    if (path !== undefined && writesElsewhere(readFileSync(join(place, path), 'utf8'))) return
  }
  throw new OciBuildError('OCB-NODE-LOCKFILE-CHANGED', {
    message: `@prisma/client loads the client that prisma generate writes beside it into node_modules: the lockfile does not know of it`,
    hint: `set output in the generator of schema.prisma to a folder of the app, or ${installInstead}`,
  })
}

/** prisma.io/docs, Prisma schema location. */
function findSchema(folder: string): string | undefined {
  const words = readPackageJson(folder)?.['prisma']
  const named = isPlainObject(words) ? words['schema'] : undefined
  const names = [typeof named === 'string' ? named : '', 'prisma/schema.prisma', 'schema.prisma']
  return names.find((name) => name.endsWith('.prisma') && existsSync(join(folder, posix.normalize(name))))
}

/** Whether every generator of a client says where to. */
function writesElsewhere(schema: string): boolean {
  const blocks = [...schema.matchAll(/^\s*generator\s+\w+\s*\{([^}]*)\}/gm)].map(([, body = '']) => body)
  const clients = blocks.filter((body) => /provider\s*=\s*"prisma-client(?:-js)?"/.test(body))
  return clients.length > 0 && clients.every((body) => /^\s*output\s*=/m.test(body))
}
