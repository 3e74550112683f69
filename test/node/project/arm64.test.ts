/** Two platforms from one machine: sharp of each in the image of each, and that of arm64 loads under qemu. */

import { execFileSync } from 'node:child_process'
import { closeSync, cpSync, openSync, readdirSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { build, createPlan, processEnvironment, type BuildOptions } from '../../../src/index.ts'
import { describeWithPeers } from '../../helpers/peers.ts'
import { applyLayersWithTar } from '../../helpers/unpack.ts'
import { baseEntries, findArm64Parts, type Arm64Parts } from './arm64-kit.ts'
import { errorOf, makeProject, removeProjects } from './project-kit.ts'

afterAll(removeProjects)

const program = `import sharp from 'sharp'
const image = sharp({ create: { width: 40, height: 30, channels: 3, background: 'red' } })
const { info } = await image.resize(20).png().toBuffer({ resolveWithObject: true })
console.log(process.arch, process.versions.node.split('.')[0], info.format, info.width, info.height)
`

/** `e_machine` of every ELF file below a folder. */
function machinesIn(folder: string): readonly number[] {
  const machines = new Set<number>()
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    const head = Buffer.alloc(20)
    const file = openSync(join(entry.parentPath, entry.name), 'r')
    readSync(file, head, 0, 20, 0)
    closeSync(file)
    if (head.readUInt32BE(0) === 0x7f454c46) machines.add(head.readUInt16LE(18))
  }
  return [...machines]
}

describeWithPeers('an image for amd64 and arm64', ['qemu-aarch64-static', 'tar'], (peers) => {
  const folder = makeProject({})
  const options: BuildOptions = { cwd: folder, cacheDir: join(folder, 'cache') }
  const found = findArm64Parts()
  const parts: Arm64Parts | undefined = typeof found === 'string' ? undefined : found
  const mustBe = process.env['CI'] === 'true' && process.platform === 'linux' && process.arch === 'x64'
  if (typeof found === 'string' && mustBe) throw new Error(found)
  const reason = typeof found === 'string' ? ` (skipped: ${found})` : ''
  const spec = {
    name: 'thumb',
    base: 'oci:base',
    platforms: ['linux/amd64', 'linux/arm64'],
    node: { dependencies: 'lockfile' },
    compression: 'none',
    outputs: ['oci:image'],
  }

  beforeAll(async () => {
    if (parts === undefined) return
    cpSync(parts.project, folder, { recursive: true })
    writeFileSync(join(folder, 'thumb.js'), program)
    const { platforms, compression } = spec
    const layers = baseEntries(parts)
    const base = { name: 'base', layers, platforms, compression, outputs: ['oci:base'], created: 'epoch' }
    await build({ ...options, environment: { ...processEnvironment(), cwd: folder }, spec: base })
    await build({ ...options, environment: { ...processEnvironment(), cwd: folder }, spec })
  }, 240_000)

  it.skipIf(parts === undefined)(`has native files of its own machine alone on each${reason}`, () => {
    for (const [platform, machine] of [
      ['linux/amd64', 62],
      ['linux/arm64', 183],
    ] as const) {
      const root = applyLayersWithTar(join(folder, 'image'), 'latest', join(folder, platform), platform)
      expect(readdirSync(join(root, 'app/node_modules/@img')).sort()).toEqual(
        ['colour', 'sharp-libvips-linux', 'sharp-linux'].map((name) =>
          name === 'colour' ? name : `${name}-${machine === 62 ? 'x64' : 'arm64'}`,
        ),
      )
      expect(machinesIn(join(root, 'app'))).toEqual([machine])
    }
  })

  it.skipIf(parts === undefined)(`runs sharp of arm64 under qemu${reason}`, () => {
    const root = join(folder, 'linux/arm64')
    const words = ['-L', root, join(root, 'usr/local/bin/node'), join(root, 'app/thumb.js')]
    const printed = execFileSync(peers['qemu-aarch64-static'], words, { encoding: 'utf8' })
    expect(printed).toBe('arm64 22 png 20 15\n')
  })

  it.skipIf(parts === undefined)(`is refused where the base's Node.js is another${reason}`, async () => {
    const words = { name: 'thumb', main: 'thumb.js', engines: { node: '^20' } }
    const other = makeProject({ 'package.json': words, 'thumb.js': '' })
    const environment = { ...processEnvironment(), cwd: other }
    const own = { node: true, base: `oci:${join(folder, 'base')}`, platforms: ['linux/arm64'] }
    const error = await errorOf(() => createPlan({ ...options, cwd: other, environment, spec: own }))
    expect(error).toMatchObject({ code: 'OCB-NODE-ENGINES' })
    expect(error.message).toMatch(/has Node\.js 22\.\d+\.\d+, and engines\.node of .* is "\^20"/)
  })
})
