/** Locked dependencies beside what pnpm itself installs. */

import { afterAll, describe, expect, it } from 'vitest'
import { makeProject, removeProjects, type Files } from '../project/project-kit.ts'
import { buildBoth, entriesBoth, layerDigests } from './lock-kit.ts'
import { findPnpms, runPnpm } from './pnpms.ts'

afterAll(removeProjects)

const pnpms = findPnpms()

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

describe.skipIf(typeof pnpms === 'string').each([9, 10] as const)('pnpm %i', (major) => {
  const install = (folder: string): void =>
    runPnpm(pnpms, major, ['install', '--prod', '--frozen-lockfile', '--ignore-scripts'], folder)
  const lock = (root: string): void =>
    runPnpm(pnpms, major, ['install', '--lockfile-only', '--ignore-scripts'], root)
  const versions = { 9: '9.15.9', 10: '10.18.0' }

  const project = (files: Files): string => {
    const root = makeProject(files)
    lock(root)
    return root
  }

  it('installs the same tree, bytes and layer', async () => {
    const words = { ...Object(express['package.json']), packageManager: `pnpm@${versions[major]}` }
    const root = project({ ...express, 'package.json': words })
    const entries = await entriesBoth(root, { install })
    expect(entries.locked).toEqual(entries.installed)
    const { locked, installed } = await buildBoth(root, { install })
    expect(layerDigests(locked)).toEqual(layerDigests(installed))
    expect(entries.locked.length).toBeGreaterThan(500)
  })
})
