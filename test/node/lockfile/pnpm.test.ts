/** Locked dependencies beside what pnpm itself installs. */

import { afterAll, describe, expect, it } from 'vitest'
import { addFiles, errorOf, removeProjects } from '../project/project-kit.ts'
import { buildBoth, expectSame, planLocked, withLockfile } from './lock-kit.ts'
import { offlineReasonOfPnpm, titled } from './online.ts'
import { findPnpms, pnpmVersions, runPnpm } from './pnpms.ts'
import { mixedProject, msPatch, patchedProject, pnpmWorkspaces } from './projects.ts'

afterAll(removeProjects)

const pnpms = findPnpms()
const reason = offlineReasonOfPnpm()

describe.skipIf(reason !== undefined).each([9, 10] as const)(
  titled('what pnpm %i install --prod installs', reason),
  (major) => {
    const packageManager = `pnpm@${pnpmVersions[major]}`
    const install = (folder: string): void =>
      runPnpm(pnpms, major, ['install', '--prod', '--frozen-lockfile', '--ignore-scripts'], folder)
    const lock = (root: string): string =>
      withLockfile(root, 'pnpm-lock.yaml', packageManager, (at) =>
        runPnpm(pnpms, major, ['install', '--lockfile-only', '--ignore-scripts'], at),
      )

    it('is the layer that pnpm-lock.yaml makes', async () => {
      const root = lock(mixedProject('link', { packageManager }))
      const entries = expectSame(await buildBoth(root, { install }))
      expect(entries).toContain('symlink 0777 /app/node_modules/other 0 -> .pnpm/ms@2.1.3/node_modules/ms')
      expect(entries).toContain('symlink 0777 /app/node_modules/.bin/own-command 0 -> ../own/bin/own.js')
      expect(entries.filter((line) => /fsevents|semver5|semver@5/.test(line))).toEqual([])
    })

    it('holds what patchedDependencies changes', async () => {
      const root = lock(patchedProject(packageManager))
      const both = await buildBoth(root, { install })
      const entries = expectSame(both)
      expect(entries.filter((line) => line.includes('/ms/added.js'))).not.toEqual([])
      expect(both.locked.plan.images[0]?.decisions).toContain('patches: ms@2.1.3.patch')
      addFiles(root, { 'patches/ms@2.1.3.patch': msPatch.replace('-var s', '-var other') })
      const error = await errorOf(() => planLocked(root))
      expect(error.code).toBe('OCB-NODE-PATCH')
      expect(error.message).toMatch(/patches\/ms@2\.1\.3\.patch to ms@2\.1\.3: hunk 1 of index\.js/)
    })

    it('is the same in a monorepo', async () => {
      const root = lock(pnpmWorkspaces(packageManager))
      const entries = expectSame(await buildBoth(root, { install, node: { package: '@acme/api' } }))
      expect(entries.filter((line) => line.includes('semver/package.json')).length).toBe(2)
    })
  },
)
