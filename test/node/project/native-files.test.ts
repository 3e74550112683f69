import { readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { processEnvironment } from '../../../src/environment.ts'
import { readElfVersions } from '../../../src/node/elf-versions.ts'
import { findClosure } from '../../../src/node/project/dependency-closure.ts'
import { detectProject } from '../../../src/node/project/detect-project.ts'
import { checkLeftOut, checkNativeFiles, type NativeBase } from '../../../src/node/project/native-files.ts'
import { readNativeHeader } from '../../../src/node/project/native-header.ts'
import { fitsTarget, isNamedFor } from '../../../src/node/project/native-platform.ts'
import { parseManifest } from '../../../src/node/project/manifest.ts'
import { createImageMap, placeDependencies } from '../../../src/node/project/place-project.ts'
import { writeElf, type ElfShape } from '../../helpers/write-elf.ts'
import { errorOf, makeProject, removeProjects, type Files } from './project-kit.ts'

afterAll(removeProjects)

const amd64: NativeBase = {
  name: 'node:22-slim',
  platform: { os: 'linux', architecture: 'amd64' },
  libc: 'glibc',
  libraries: new Map(),
}
const arm64: NativeBase = { ...amd64, platform: { os: 'linux', architecture: 'arm64' } }

const addon = (shape: ElfShape = {}): Buffer => writeElf({ needed: ['libc.so.6'], ...shape })
const machO = Buffer.alloc(64)
machO.writeUInt32LE(0xfeedfacf, 0)
machO.writeUInt32LE(0x100000c, 4)
const pe = Buffer.alloc(256)
pe.write('MZ')
pe.writeUInt32LE(128, 60)
pe.write('PE\0\0', 128, 'latin1')
pe.writeUInt16LE(0x8664, 132)

/** Checks one package `native` with these files; how many were looked at. */
async function check(files: Files, base: NativeBase, manager = 'npm'): Promise<number> {
  const entries = Object.entries(files).map(
    ([path, bytes]) => [`node_modules/native/${path}`, bytes] as const,
  )
  const root = makeProject({
    'package.json': { dependencies: { native: '1' }, packageManager: `${manager}@1.0.0` },
    'node_modules/native/package.json': { name: 'native' },
    ...Object.fromEntries(entries),
  })
  const project = await detectProject(root, undefined)
  const placements = placeDependencies(
    createImageMap(root, '/app', processEnvironment()),
    findClosure(project),
    [],
  )
  return checkNativeFiles(placements, base, project.manager)
}

describe('the header of a native file', () => {
  it.each<[string, Uint8Array, object | undefined]>([
    ['glibc', addon(), { os: 'linux', cpus: ['x64'], libc: 'glibc' }],
    [
      'musl',
      addon({ machine: 183, needed: ['libc.musl-aarch64.so.1'] }),
      { os: 'linux', cpus: ['arm64'], libc: 'musl' },
    ],
    ['no libc', addon({ needed: [] }), { os: 'linux', cpus: ['x64'], libc: undefined }],
    ['macOS', machO, { os: 'darwin', cpus: ['arm64'], libc: undefined }],
    ['Windows', pe, { os: 'win32', cpus: ['x64'], libc: undefined }],
    ['text', Buffer.from('#!/bin/sh\necho this is no program\n'), undefined],
    ['nothing', Buffer.alloc(0), undefined],
  ])('tells %s', (_title, bytes, header) => {
    expect(readNativeHeader(join(makeProject({ file: bytes }), 'file'))).toEqual(header)
  })
})

describe('native files of a package', () => {
  it('pass where they are for the platform, whatever others lie beside them', async () => {
    const prebuilds = {
      'prebuilds/linux-x64/a.node': addon(),
      'prebuilds/linux-arm64/a.node': addon({ machine: 183 }),
      'prebuilds/darwin-arm64/a.node': machO,
      'vendor/tool.exe': pe,
    }
    expect(await check(prebuilds, amd64)).toBe(4)
    expect(await check(prebuilds, arm64)).toBe(4)
    expect(await check({ 'vendor/tool.exe': pe, 'index.js': '' }, amd64)).toBe(1)
  })

  it.each<[string, Files, NativeBase, string, string, string]>([
    [
      'of another machine',
      { 'a.node': addon() },
      arm64,
      'npm',
      'native: /app/node_modules/native/a.node is for linux x64 glibc; wanted linux arm64 glibc, which the base node:22-slim runs',
      'run npm install --os=linux --cpu=arm64 --libc=glibc',
    ],
    [
      'of another libc',
      { 'a.node': addon({ needed: ['libc.musl-x86_64.so.1'] }) },
      amd64,
      'pnpm',
      'is for linux x64 musl; wanted linux x64 glibc',
      'set supportedArchitectures: { os: [linux], cpu: [x64], libc: [glibc] } for pnpm, and run pnpm install',
    ],
    [
      'of another system',
      { 'a.node': machO },
      arm64,
      'bun',
      'is for darwin arm64',
      'run bun install --os linux --cpu arm64',
    ],
    [
      'compiled here, whatever lies beside it',
      { 'build/Release/a.node': addon(), 'prebuilds/linux-arm64/a.node': addon({ machine: 183 }) },
      arm64,
      'npm',
      '/build/Release/a.node is for linux x64',
      "run npm rebuild native on linux/arm64, or build for this host's platform",
    ],
  ])('stop the build where they are %s', async (_title, files, base, manager, message, hint) => {
    const error = await errorOf(() => check(files, base, manager))
    expect(error).toMatchObject({ code: 'OCB-NODE-NATIVE', hint })
    expect(error.message).toContain(message)
  })
})

describe('optional packages of platforms', () => {
  it('are chosen by os, cpu and libc', () => {
    const fits = (words: object, base = amd64): boolean => fitsTarget(parseManifest({ ...words }), base)
    expect(fits({})).toBe(true)
    expect(fits({ os: ['linux'], cpu: ['x64'], libc: ['glibc'] })).toBe(true)
    expect(fits({ os: ['!win32'] })).toBe(true)
    expect(fits({ os: ['!linux'] })).toBe(false)
    expect(fits({ cpu: ['arm64'] })).toBe(false)
    expect(fits({ libc: ['musl'] })).toBe(false)
    expect(fits({ libc: 'musl' }, { ...amd64, libc: undefined })).toBe(true)
  })

  it('say by their names what they are for', () => {
    const named = ['@img/sharp-linux-x64', '@esbuild/linux-x64', '@rollup/rollup-linux-x64-gnu']
    for (const name of named) expect(isNamedFor(name, amd64), name).toBe(true)
    for (const name of [
      '@img/sharp-linuxmusl-x64',
      '@esbuild/linux-arm64',
      'fsevents',
      '@next/swc-linux-x64-musl',
    ])
      expect(isNamedFor(name, amd64), name).toBe(false)
  })

  it("stop the build where another platform's is installed in place of the target's", async () => {
    const root = makeProject({
      'package.json': { dependencies: { sharp: '1' } },
      'node_modules/sharp/package.json': {
        name: 'sharp',
        optionalDependencies: { '@img/sharp-linux-x64': '1', '@img/sharp-linux-arm64': '1', fsevents: '1' },
      },
      'node_modules/@img/sharp-linux-x64/package.json': { name: 'a', os: ['linux'], cpu: ['x64'] },
    })
    const project = await detectProject(root, undefined)
    const closure = (base: NativeBase): ReturnType<typeof findClosure> =>
      findClosure(project, (manifest) => fitsTarget(manifest, base))
    checkLeftOut(closure(amd64), amd64, project.manager)
    const error = await errorOf(() => checkLeftOut(closure(arm64), arm64, project.manager))
    expect(error).toMatchObject({
      code: 'OCB-NODE-NATIVE',
      message:
        'sharp is installed with @img/sharp-linux-x64, which is not for linux/arm64; wanted @img/sharp-linux-arm64',
    })
  })
})

describe.skipIf(process.platform !== 'linux')('symbol versions', () => {
  const node = realpathSync(process.execPath)

  it('are read of the Node.js that runs the tests', () => {
    const { needs } = readElfVersions(node)
    const glibc = needs.get('libc.so.6') ?? []
    expect(glibc.length).toBeGreaterThan(3)
    expect(glibc.every((version) => /^GLIBC_[\d.]+$/.test(version))).toBe(true)
  })

  it('that a base lacks stop the build', async () => {
    // The program of Node.js plays the addon, and a library that defines none of the versions plays libc.
    const files = { 'a.node': readFileSync(node) }
    const libc = join(makeProject({ 'libc.so.6': addon({ needed: [] }) }), 'libc.so.6')
    const host = readNativeHeader(node)
    const architecture = host?.cpus[0] === 'x64' ? 'amd64' : (host?.cpus[0] ?? '')
    const base: NativeBase = {
      name: 'host:node',
      platform: { os: 'linux', architecture },
      libc: undefined,
      libraries: new Map([['libc.so.6', libc]]),
    }
    const error = await errorOf(() => check(files, base))
    expect(error.code).toBe('OCB-NODE-NATIVE')
    expect(error.message).toMatch(
      /a\.node needs GLIBC_[\d.]+ of libc\.so\.6, and the base host:node has none of it/,
    )
  })
})
