/** What `host:node` gives to native files. */

import { lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { processEnvironment } from '../../src/environment.ts'
import { hostNodeRuntime } from '../../src/node/host-runtime.ts'
import { hostBaseRuntime } from '../../src/node/host-provides.ts'
import type { Placement } from '../../src/plan/placement.ts'
import { writeElf } from '../helpers/write-elf.ts'

const folder = mkdtempSync(join(tmpdir(), 'ocibuild-host-'))
afterAll(() => rmSync(folder, { recursive: true }))

function library(path: string, defines: readonly string[]): Placement {
  const hostPath = join(folder, path.replaceAll('/', '-'))
  writeFileSync(hostPath, writeElf({ defines }))
  const { size, mtimeMs, ctimeMs, ino } = lstatSync(hostPath)
  const source = { kind: 'host', path: hostPath, size, mtimeMs, ctimeMs, ino } as const
  return { type: 'file', path, origin: 'base', mode: 0o755, owner: undefined, mtime: 0, source }
}

const release = { version: '22.11.0', modules: 127 }

describe('host:node', () => {
  it('gives the libraries that are placed, by their names in the image', async () => {
    const placements = [library('/usr/lib/libc.so.6', ['GLIBC_2.2.5', 'GLIBC_2.36'])]
    const runtime = hostBaseRuntime(placements, async () => release)
    expect(await runtime.library('libc.so.6')).toBe('GLIBC_2.36')
    expect(await runtime.library('libc.so')).toBeUndefined()
    expect(await runtime.libc()).toBe('glibc')
    const musl = hostBaseRuntime([library('/lib/ld-musl-x86_64.so.1', [])], async () => release)
    expect(await musl.libc()).toBe('musl')
  })

  it('asks for the running Node.js once', async () => {
    let asked = 0
    const runtime = hostBaseRuntime([], async () => {
      asked += 1
      return release
    })
    expect([await runtime.node(), await runtime.node(), asked]).toEqual([release, release, 1])
  })

  it.skipIf(process.platform !== 'linux')('has what this Node.js itself asks for', async () => {
    const { placements } = await hostNodeRuntime({ environment: processEnvironment() })
    const runtime = hostBaseRuntime(placements, async () => release)
    const name =
      (await runtime.libc()) === 'musl'
        ? `ld-musl-${process.arch === 'x64' ? 'x86_64' : 'aarch64'}.so.1`
        : 'libc.so.6'
    expect(await runtime.library(name)).toMatch(name === 'libc.so.6' ? /^GLIBC_2\.\d+/ : /^$/)
  })
})
