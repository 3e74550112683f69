/** Locked dependencies beside what npm itself installs. */

import { afterAll, describe, expect, it } from 'vitest'
import { runManager } from '../project/package-managers.ts'
import { makeProject, removeProjects } from '../project/project-kit.ts'
import { buildBoth, expectSame, withLockfile } from './lock-kit.ts'
import { offlineReason, titled } from './online.ts'
import { mixedProject, workspaces } from './projects.ts'

afterAll(removeProjects)

const reason = offlineReason()
const npm = (args: readonly string[], folder: string): void => runManager(['npm'], args, folder)
const lockOnly = ['install', '--package-lock-only', '--ignore-scripts']
const install = (folder: string): void => npm(['ci', '--omit=dev', '--ignore-scripts'], folder)

describe.skipIf(reason !== undefined)(titled('what npm ci --omit=dev installs', reason), () => {
  it.each(['2', '3'])('is the layer that package-lock.json of version %s makes', async (version) => {
    const words = [...lockOnly, `--lockfile-version=${version}`]
    const root = withLockfile(mixedProject('file'), 'package-lock.json', words.join(), (at) => npm(words, at))
    const entries = expectSame(await buildBoth(root, { install }))
    expect(entries).toContain('symlink 0777 /app/node_modules/.bin/own-command 0 -> ../own/bin/own.js')
    expect(entries).toContain('file 0755 /app/node_modules/own/bin/own.js 38')
    expect(entries).toContain('file 0644 /app/node_modules/own/lib/.npmignore 2')
    expect(entries.some((line) => line.includes('/own/node_modules/inner/cli.js'))).toBe(true)
    expect(entries.filter((line) => /fsevents|semver5/.test(line))).toEqual([])
  })

  it('is the same in a monorepo', async () => {
    const root = withLockfile(makeProject(workspaces), 'package-lock.json', 'npm', (at) => npm(lockOnly, at))
    const entries = expectSame(await buildBoth(root, { install, node: { package: '@acme/api' } }))
    expect(entries.filter((line) => line.includes('minimist/'))).not.toEqual([])
    expect(entries.filter((line) => line.includes('semver/package.json')).length).toBe(2)
  })
})
