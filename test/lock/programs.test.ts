/** Native files over a base in a registry: what they need of it is read once, and kept in `oci.lock`. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { build, lock } from '../../src/index.ts'
import { writeElf } from '../helpers/write-elf.ts'
import { addFiles } from '../node/project/project-kit.ts'
import { codes, errorOf, openPlace, type Place } from './lock-kit.ts'

const addon = (version: string): Buffer =>
  writeElf({
    needed: ['libc.so.6'],
    needs: { 'libc.so.6': [version] },
    symbols: ['node_register_module_v127'],
  })

/** A project with an addon, over a base of glibc 2.36 and Node.js 22. */
async function openProject(version: string): Promise<Place & { readonly spec: object }> {
  const place = await openPlace()
  const libc = writeElf({ defines: ['GLIBC_2.2.5', 'GLIBC_2.36'] })
  const node = `${'\0'.repeat(8)}v22.11.0\0"node_module_version": 127,`
  place.moveTag([
    { name: 'usr/lib/x86_64-linux-gnu/libc.so.6', content: libc },
    { name: 'usr/local/bin/node', content: node, mode: 0o755 },
  ])
  addFiles(place.folder, {
    'package.json': { name: 'app', main: 'a.js', dependencies: { native: '1' }, engines: { node: '>=22' } },
    'a.js': '',
    'node_modules/native/package.json': { name: 'native' },
    'node_modules/native/build/Release/a.node': addon(version),
  })
  return { ...place, spec: { node: true, layers: [], platforms: ['linux/amd64'] } }
}

describe('native files over a base in a registry', () => {
  it('stop the build where its libraries are too old', async () => {
    const { options, spec, base } = await openProject('GLIBC_2.38')
    const error = await errorOf(build(options(spec)))
    expect(error).toMatchObject({ code: 'OCB-NODE-NATIVE' })
    expect(error.message).toContain(`needs GLIBC_2.38 of libc.so.6, and the base ${base} has GLIBC_2.36`)
  })

  it('stop the build where its Node.js is another, which only the program tells', async () => {
    const { options, spec, folder } = await openProject('GLIBC_2.36')
    addFiles(folder, { 'package.json': { name: 'app', main: 'a.js', engines: { node: '^20' } } })
    const error = await errorOf(build(options(spec)))
    expect(error).toMatchObject({ code: 'OCB-NODE-ENGINES' })
    expect(error.message).toContain('has Node.js 22.11.0')
  })

  it('are checked with what the lock has of it: no layer of the base is read', async () => {
    const { options, spec, lockFile, folder, layerDownloads } = await openProject('GLIBC_2.36')
    await lock(options(spec))
    const locked = readFileSync(lockFile, 'utf8')
    expect(locked).toContain('"libc.so.6": "GLIBC_2.36"')
    expect(locked).toContain('"node": "22.11.0 127"')
    rmSync(join(folder, 'cache'), { recursive: true })
    const before = layerDownloads().length
    expect(codes(await build(options(spec, { frozen: true })))).toEqual([])
    expect(layerDownloads().slice(before)).toEqual([])
    // A question that the lock does not answer.
    writeFileSync(lockFile, locked.replace('"libc.so.6": ', '"libother.so.6": '))
    const error = await errorOf(build(options(spec, { frozen: true })))
    expect(error).toMatchObject({ code: 'OCB-LOCK-STALE' })
    expect(error.message).toContain('does not tell of what it has of "libc.so.6"')
  })
})
