/** Locked dependencies beside what npm itself installs. */

import { afterAll, describe, expect, it } from 'vitest'
import { findManagers, runManager } from '../project/package-managers.ts'
import { makeProject, removeProjects, type Files } from '../project/project-kit.ts'
import { buildBoth, entriesBoth, layerDigests } from './lock-kit.ts'

afterAll(removeProjects)

const managers = findManagers()
const npm = (args: readonly string[], folder: string): void => runManager(['npm'], args, folder)
const lockOnly = ['install', '--package-lock-only', '--ignore-scripts']
const install = (folder: string): void => npm(['ci', '--omit=dev', '--ignore-scripts'], folder)

const express: Files = {
  'package.json': {
    name: 'app',
    version: '1.0.0',
    main: 'server.js',
    dependencies: { express: '4.21.2', semver: '7.6.3', other: 'npm:ms@2.1.3' },
    optionalDependencies: { fsevents: '2.3.3' },
    devDependencies: { rimraf: '5.0.10' },
  },
  'server.js': 'require("express")',
}

describe.skipIf(typeof managers === 'string')('npm', () => {
  it('installs the same tree, bytes and layer', async () => {
    const root = makeProject(express)
    npm(lockOnly, root)
    const entries = await entriesBoth(root, { install })
    expect(entries.locked).toEqual(entries.installed)
    const { locked, installed } = await buildBoth(root, { install })
    expect(layerDigests(locked)).toEqual(layerDigests(installed))
    expect(entries.locked.length).toBeGreaterThan(500)
  })
})
