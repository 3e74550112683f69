/** Native files of an image against its base: what is for it, what it lacks, and what is said. */

import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { elfBytes } from '../../../src/node/elf.ts'
import type { BaseRuntime } from '../../../src/node/base-runtime.ts'
import { findClosure } from '../../../src/node/project/dependency-closure.ts'
import { detectProject } from '../../../src/node/project/detect-project.ts'
import { checkLeftOut } from '../../../src/node/project/native-errors.ts'
import { checkNativeFiles, type NativeBase } from '../../../src/node/project/native-files.ts'
import { readNativeHeader } from '../../../src/node/project/native-header.ts'
import { fitsTarget, isNamedFor } from '../../../src/node/project/native-platform.ts'
import { parseManifest } from '../../../src/node/project/manifest.ts'
import type { Placement } from '../../../src/plan/placement.ts'
import { writeElf, type ElfShape } from '../../helpers/write-elf.ts'
import { errorOf, makeProject, removeProjects, type Files } from './project-kit.ts'

afterAll(removeProjects)

/** A base of Debian 12 with Node.js 22. */
const runtime: BaseRuntime = {
  libc: async () => 'glibc',
  library: async (name) =>
    ({
      'libc.so.6': 'GLIBC_2.36 GLIBC_ABI_DT_RELR',
      'libstdc++.so.6': 'CXXABI_1.3.13 CXXABI_FLOAT128 GLIBCXX_3.4.30',
      'libm.so.6': 'GLIBC_2.35',
      'libplain.so.1': '',
    })[name],
  node: async () => ({ version: '22.11.0', modules: 127 }),
}

const amd64: NativeBase = {
  name: 'node:22-slim',
  platform: { os: 'linux', architecture: 'amd64' },
  libc: 'glibc',
  runtime,
}
const arm64: NativeBase = { ...amd64, platform: { os: 'linux', architecture: 'arm64' } }

const addon = (shape: ElfShape = {}): Buffer => writeElf({ needed: ['libc.so.6'], ...shape })
const musl = (machine = 62): Buffer => addon({ machine, needed: ['libc.musl-x86_64.so.1'] })
const machO = Buffer.alloc(64)
machO.writeUInt32LE(0xfeedfacf, 0)
machO.writeUInt32LE(0x100000c, 4)
const pe = Buffer.alloc(256)
pe.write('MZ')
pe.writeUInt32LE(128, 60)
pe.write('PE\0\0', 128, 'latin1')
pe.writeUInt16LE(0x8664, 132)

interface More {
  readonly manager?: string
  /** Where the files lie; default: in the package `native`. */
  readonly below?: string
  readonly allow?: readonly string[]
  readonly others?: readonly string[]
  readonly mode?: number
}

const place = (path: string, bytes: Uint8Array, mode: number): Placement => ({
  type: 'file',
  path,
  origin: 'node',
  mode,
  owner: undefined,
  mtime: 0,
  source: { kind: 'bytes', bytes },
})

/** Checks these files; how many were native. */
async function check(files: Files, base: NativeBase, more: More = {}): Promise<number> {
  const { manager = 'npm', below = 'node_modules/native/', allow = [], others = [], mode = 0o755 } = more
  const root = makeProject({
    'package.json': { name: 'own', workspaces: ['packages/*'], packageManager: `${manager}@1.0.0` },
    'packages/lib/package.json': { name: '@own/lib' },
  })
  const { files: count } = await checkNativeFiles({
    placements: Object.entries(files).map(([path, bytes]) =>
      place(`/app/${below}${path}`, Buffer.from(bytes as Uint8Array), mode),
    ),
    project: await detectProject(root, undefined),
    mount: '/app',
    allow,
    others: others.map((path) => place(path, new Uint8Array(), 0o644)),
    base,
  })
  return count
}

describe('the header of a native file', () => {
  it.each<[string, Uint8Array, object | undefined]>([
    ['glibc', addon(), { os: 'linux', cpus: ['x64'], libc: 'glibc' }],
    [
      'a program of glibc',
      addon({ needed: [], interpreter: '/lib64/ld-linux-x86-64.so.2' }),
      { os: 'linux', cpus: ['x64'], libc: 'glibc' },
    ],
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
    expect(readNativeHeader(elfBytes(bytes, 'file'))).toEqual(header)
  })

  it('is passed over in what only linkers take', () => {
    const object = addon()
    object.writeUInt16LE(1, 16)
    expect(readNativeHeader(elfBytes(object, 'a.o'))).toBeUndefined()
  })
})

describe('native files of a package', () => {
  it('pass where they are for the platform, whatever others lie beside them', async () => {
    const prebuilds = {
      'prebuilds/linux-x64/a.node': addon(),
      'prebuilds/linux-x64/a.musl.node': musl(),
      'prebuilds/linux-arm64/a.node': addon({ machine: 183 }),
      'prebuilds/darwin-arm64/a.node': machO,
      'vendor/tool.exe': pe,
    }
    expect(await check(prebuilds, amd64)).toBe(5)
    expect(await check(prebuilds, arm64)).toBe(5)
    expect(await check({ 'vendor/tool.exe': pe, 'index.js': Buffer.from('') }, amd64)).toBe(1)
  })

  it.each<[string, Files, NativeBase, string, string, string]>([
    [
      'of another machine',
      { 'a.node': addon() },
      arm64,
      'npm',
      'native: /app/node_modules/native/a.node is for linux x64 glibc; wanted linux arm64 glibc, which the base node:22-slim runs',
      'run npm install --os=linux --cpu=arm64 --libc=glibc; ',
    ],
    [
      'programs of another machine',
      { 'bin/tool': addon() },
      arm64,
      'npm',
      '/bin/tool is for linux x64 glibc; wanted linux arm64 glibc',
      'run npm install --os=linux --cpu=arm64 --libc=glibc; ',
    ],
    [
      'of another libc',
      { 'a.node': musl() },
      amd64,
      'pnpm',
      'is for linux x64 musl; wanted linux x64 glibc',
      'set supportedArchitectures: { os: [linux], cpu: [x64], libc: [glibc] } for pnpm, and run pnpm install; ',
    ],
    [
      'of another libc than the base turns out to have',
      { 'a.node': musl() },
      { ...amd64, libc: undefined },
      'yarn',
      'is for linux x64 musl; wanted linux x64 glibc',
      'set supportedArchitectures: { os: [linux], cpu: [x64], libc: [glibc] } in .yarnrc.yml, and run yarn install; ',
    ],
    [
      'of another system',
      { 'a.node': machO },
      arm64,
      'bun',
      'is for darwin arm64',
      'run bun install --os linux --cpu arm64; ',
    ],
    [
      'compiled here, whatever lies beside it',
      { 'build/Release/a.node': addon(), 'prebuilds/linux-arm64/a.node': addon({ machine: 183 }) },
      arm64,
      'npm',
      '/build/Release/a.node is for linux x64',
      "run npm rebuild native on linux/arm64 with glibc, or build for this host's platform; ",
    ],
  ])('stop the build where they are %s', async (_title, files, base, manager, message, hint) => {
    const error = await errorOf(() => check(files, base, { manager }))
    expect(error.code).toBe('OCB-NODE-NATIVE')
    expect(error.message).toContain(message)
    expect(error.hint).toContain(hint)
    expect(error.hint).toContain("allow it with node: { allow: ['")
  })

  it('name the nearest of many, and how it comes to be compiled', async () => {
    const files = { 'prebuilds/darwin-arm64/a.node': machO, 'prebuilds/linux-x64/a.node': addon() }
    const error = await errorOf(() => check(files, { ...amd64, libc: 'musl' }))
    expect(error.message).toContain(
      '/prebuilds/linux-x64/a.node is for linux x64 glibc; wanted linux x64 musl',
    )
    expect(error.hint).toContain('run npm rebuild native on linux/amd64 with musl; ')
  })

  it('are not asked of packages that do without', async () => {
    const files = { 'prebuilds/linux-x64/a.node': addon() }
    expect(await check(files, arm64, { below: 'node_modules/bufferutil/' })).toBe(0)
    expect(await check(files, arm64, { below: 'node_modules/ws/node_modules/bufferutil/' })).toBe(0)
    await errorOf(() => check(files, arm64, { below: 'node_modules/bufferutil2/' }))
  })

  it.each<[string, string, string, string]>([
    ['the app', '', 'own: /app/a.node is for linux x64', 'build it on linux/arm64'],
    ['a workspace package', 'packages/lib/', '@own/lib: /app/packages/lib/a.node is', 'build it on'],
    [
      'a client that Prisma generated',
      'node_modules/.prisma/client/',
      '@prisma/client: ',
      'binaryTargets = ["native", "linux-arm64-openssl-3.0.x"] in schema.prisma',
    ],
  ])('are looked at in %s, too', async (_title, below, message, hint) => {
    const error = await errorOf(() => check({ 'a.node': addon() }, arm64, { below }))
    expect(error.message).toContain(message)
    expect(error.hint).toContain(hint)
  })

  it('may ship where the spec allows them', async () => {
    const files = { 'bin/tool': addon() }
    expect(await check(files, arm64, { allow: ['bin/tool'] })).toBe(0)
    expect(await check(files, arm64, { allow: ['node_modules/native/**'] })).toBe(0)
    await errorOf(() => check(files, arm64, { allow: ['tool'] }))
  })

  it('that cannot be run are not looked for among scripts and texts', async () => {
    expect(await check({ 'bin/tool': addon() }, arm64, { mode: 0o644 })).toBe(0)
    expect(await check({ 'bin/tool.js': addon() }, arm64)).toBe(0)
  })
})

describe('what a base has', () => {
  const needs = (versions: ElfShape['needs'], shape: ElfShape = {}): Buffer =>
    addon({ needed: Object.keys(versions ?? {}), ...(versions && { needs: versions }), ...shape })

  it('is enough for what needs no more', async () => {
    const file = needs({
      'libc.so.6': ['GLIBC_2.14', 'GLIBC_2.36', 'GLIBC_ABI_DT_RELR'],
      'libstdc++.so.6': ['GLIBCXX_3.4.9', 'CXXABI_1.3', 'CXXABI_FLOAT128'],
      'libplain.so.1': ['PLAIN_1'],
    })
    expect(await check({ 'a.node': file }, amd64)).toBe(1)
  })

  it.each<[string, Buffer, string, string]>([
    [
      'an older libc',
      needs({ 'libc.so.6': ['GLIBC_2.14', 'GLIBC_2.38'] }),
      'needs GLIBC_2.38 of libc.so.6, and the base node:22-slim has GLIBC_2.36',
      'build with a --base whose libc.so.6 is newer, or run npm rebuild native on a system as old as the base',
    ],
    [
      'an older libstdc++',
      needs({ 'libstdc++.so.6': ['GLIBCXX_3.4.31'] }),
      'needs GLIBCXX_3.4.31 of libstdc++.so.6, and the base node:22-slim has GLIBCXX_3.4.30',
      'build with a --base whose libstdc++.so.6 is newer',
    ],
    [
      'an older C++ ABI',
      needs({ 'libstdc++.so.6': ['CXXABI_1.3.15'] }),
      'needs CXXABI_1.3.15 of libstdc++.so.6, and the base node:22-slim has CXXABI_1.3.13',
      'build with a --base',
    ],
    [
      'a library without such versions',
      needs({ 'libm.so.6': ['OTHER_1.0'] }),
      'needs OTHER_1.0 of libm.so.6, and the base node:22-slim has none of it',
      'build with a --base',
    ],
    [
      'no such library',
      needs({ 'libssl.so.3': [] }),
      'needs libssl.so.3, which the base node:22-slim does not have',
      'build with a --base that has libssl.so.3, or add it in layers',
    ],
    [
      'another Node.js',
      addon({ symbols: ['node_register_module_v115'] }),
      'is for NODE_MODULE_VERSION 115 of Node.js 20; wanted 127, which Node.js 22.11.0 of the base node:22-slim loads',
      'run npm rebuild native with Node.js 22, or build with --base node:20-slim',
    ],
    [
      'another Node.js, said as NODE_MODULE says it',
      addon({ symbols: ['node_module_register'], module: 108 }),
      'is for NODE_MODULE_VERSION 108 of Node.js 18',
      'build with --base node:18-slim',
    ],
  ])('stops the build where it is %s', async (_title, file, message, hint) => {
    const error = await errorOf(() => check({ 'a.node': file }, amd64))
    expect(error.code).toBe('OCB-NODE-NATIVE')
    expect(error.message).toContain(`native: /app/node_modules/native/a.node ${message}`)
    expect(error.hint).toContain(hint)
  })

  it('may lie in other layers, or beside the file', async () => {
    const file = needs({ 'libssl.so.3': ['OPENSSL_3.0.0'] })
    expect(await check({ 'a.node': file }, amd64, { others: ['/opt/lib/libssl.so.3'] })).toBe(1)
    expect(await check({ 'a.node': file, 'lib/libssl.so.3': addon() }, amd64)).toBe(2)
  })

  it('is nothing that Node-API asks for', async () => {
    for (const symbols of [['napi_register_module_v1', 'node_register_module_v93'], ['napi_create_function']])
      expect(await check({ 'a.node': addon({ symbols }) }, amd64)).toBe(1)
  })

  it('is asked of each addon of a package, of which one file must load', async () => {
    const [old, fresh] = [
      addon({ symbols: ['node_register_module_v115'] }),
      addon({ symbols: ['node_register_module_v127'] }),
    ]
    const one = 'prebuilds/linux-x64/node.abi115.node'
    expect(await check({ [one]: old, 'prebuilds/linux-x64/node.abi127.node': fresh }, amd64)).toBe(2)
    await errorOf(() => check({ [one]: old, 'prebuilds/linux-x64/other.abi127.node': fresh }, amd64))
    await errorOf(() => check({ 'build/Release/a.node': old, 'prebuilds/a.node': fresh }, amd64))
  })

  it('is not asked where the base is nothing', async () => {
    const file = needs({ 'libc.so.6': ['GLIBC_9.9'] })
    expect(await check({ 'a.node': file }, { ...amd64, runtime: undefined })).toBe(1)
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
      [join('node_modules', '@img/sharp-linux-x64/package.json')]: { name: 'a', os: ['linux'], cpu: ['x64'] },
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
