/** Native files of a project over every kind of base: what the base has decides what ships, and what is refused. */

import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { build, createPlan, processEnvironment, type ImagePlanView } from '../../../src/index.ts'
import { writeElf } from '../../helpers/write-elf.ts'
import { errorOf, makeProject, removeProjects, type Files } from './project-kit.ts'

afterAll(removeProjects)

const folder = makeProject({})
const cacheDir = join(folder, 'cache')
const own = processEnvironment()
const environment = { ...own, hostArchitecture: 'amd64', variables: {} }
const elfFile = (file: string, bytes: Buffer): object => ({
  file,
  content: bytes.toString('base64'),
  encoding: 'base64',
  mode: '0755',
})

const bases = ['oci:glibc', 'oci-archive:glibc.tar', 'docker-archive:glibc-docker.tar']

beforeAll(async () => {
  const glibc = writeElf({ defines: ['GLIBC_2.2.5', 'GLIBC_2.36'] })
  const common = { platforms: ['linux/amd64'], created: 'epoch', metadata: 'none' }
  await build({
    cwd: folder,
    cacheDir,
    environment: { ...environment, cwd: folder },
    spec: {
      defaults: common,
      images: {
        glibc: {
          layers: [
            elfFile('/usr/lib/x86_64-linux-gnu/libc.so.6', glibc),
            elfFile('/usr/lib64/ld-linux-x86-64.so.2', glibc),
          ],
          config: { env: { NODE_VERSION: '22.11.0' }, user: '1000:1000' },
          outputs: bases,
        },
        musl: {
          layers: [elfFile('/lib/ld-musl-x86_64.so.1', writeElf({}))],
          config: { user: '1000:1000' },
          outputs: ['oci:musl'],
        },
      },
    },
  })
})

async function plan(files: Files, base: string, node: object | true = true): Promise<ImagePlanView> {
  const root = makeProject({ 'package.json': { name: 'app', main: 'a.js' }, 'a.js': '', ...files })
  const platforms = base === 'host:node' ? [] : ['linux/amd64']
  const spec = { node, base: base.replace(':', `:${folder}/`).replace(/^host:.*/, 'host:node'), platforms }
  const host = base === 'host:node' ? { hostArchitecture: own.hostArchitecture } : {}
  const { images } = await createPlan({
    cwd: root,
    cacheDir,
    environment: { ...environment, ...host, cwd: root },
    offline: true,
    spec,
  })
  const [image] = images
  if (image === undefined) throw new Error('no image')
  return image
}

const addon = (version: string, machine = 62): Buffer =>
  writeElf({ needed: ['libc.so.6'], needs: { 'libc.so.6': [version] }, machine })

describe('an addon of the app', () => {
  it.each(bases)('over %s may need what its libraries define', async (base) => {
    const image = await plan({ 'build/Release/a.node': addon('GLIBC_2.36') }, base)
    expect(image.decisions).toContain(
      'native files: 1; what linux/amd64 with glibc needs of them loads in the base',
    )
    const error = await errorOf(() => plan({ 'build/Release/a.node': addon('GLIBC_2.38') }, base))
    expect(error.code).toBe('OCB-NODE-NATIVE')
    expect(error.message).toMatch(
      /^app: \/app\/build\/Release\/a\.node needs GLIBC_2\.38 of libc\.so\.6, and the base .* has GLIBC_2\.36$/,
    )
  })

  it('over a base of another Node.js is refused', async () => {
    const bytes = writeElf({ needed: ['libc.so.6'], symbols: ['node_register_module_v115'] })
    const error = await errorOf(() => plan({ 'build/Release/a.node': bytes }, 'oci:glibc'))
    expect(error.message).toContain('is for NODE_MODULE_VERSION 115 of Node.js 20; wanted 127')
  })

  it.skipIf(process.platform !== 'linux')('over host:node may need what this host has', async () => {
    const machine = own.hostArchitecture === 'arm64' ? 183 : 62
    const error = await errorOf(() =>
      plan({ 'build/Release/a.node': addon('GLIBC_99.1', machine) }, 'host:node'),
    )
    expect(error.code).toBe('OCB-NODE-NATIVE')
    expect(error.message).toMatch(/GLIBC_99\.1 of libc\.so\.6, and the base host:node has GLIBC_2|musl/)
  })

  it('ships where the spec allows it', async () => {
    const files = { 'build/Release/a.node': addon('GLIBC_2.38') }
    const image = await plan(files, 'oci:glibc', { allow: ['build/Release/a.node'] })
    expect(image.decisions.join('\n')).not.toContain('native files')
  })
})

describe('optional packages of both C libraries', () => {
  const files: Files = {
    'package.json': { name: 'app', main: 'a.js', dependencies: { image: '1' } },
    'node_modules/image/package.json': {
      name: 'image',
      optionalDependencies: { 'image-linux-x64': '1', 'image-linuxmusl-x64': '1' },
    },
    'node_modules/image-linux-x64/package.json': { name: 'image-linux-x64', libc: ['glibc'] },
    'node_modules/image-linuxmusl-x64/package.json': { name: 'image-linuxmusl-x64', libc: ['musl'] },
  }

  it.each([
    ['oci:glibc', 'image-linux-x64'],
    ['oci:musl', 'image-linuxmusl-x64'],
  ])('over %s are those of its own', async (base, wanted) => {
    const image = await plan(files, base)
    const paths = image.platforms[0]?.layers.flatMap(({ entries }) => entries.map(({ path }) => path)) ?? []
    const shipped = paths.filter((path) => /image-linux[^/]*$/.test(path))
    expect(shipped).toEqual([`/app/node_modules/${wanted}`])
  })
})
