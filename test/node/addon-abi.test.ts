/** Which Node.js an addon is for. */

import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readAddonAbi, type AddonAbi } from '../../src/node/addon-abi.ts'
import { elfBytes, withElfFile } from '../../src/node/elf.ts'
import { OciBuildError } from '../../src/errors.ts'
import { findPeer } from '../helpers/peers.ts'
import { writeElf, type ElfShape } from '../helpers/write-elf.ts'

const abiOf = (shape: ElfShape): AddonAbi => readAddonAbi(elfBytes(writeElf(shape), 'a.node'))

describe('an addon', () => {
  const legacy = { symbols: ['node_module_register'], module: 108 }

  it.each<[string, ElfShape, AddonAbi]>([
    ['of Node-API', { symbols: ['napi_register_module_v1'] }, 'node-api'],
    ['that imports Node-API', { symbols: ['a', 'napi_module_register'] }, 'node-api'],
    ['of both', { symbols: ['node_register_module_v93', 'napi_register_module_v1'] }, 'node-api'],
    ['with a well-known symbol', { symbols: ['node_register_module_v127'] }, 127],
    ['with a module of NODE_MODULE', legacy, 108],
    ['with one on arm64', { ...legacy, machine: 183 }, 108],
    ['with one whose relocations are packed', { ...legacy, packed: true }, 108],
    ['with a module that registers nothing', { module: 108 }, undefined],
    ['with a module that is none', { ...legacy, module: 3 }, undefined],
    ['that says nothing', { symbols: ['snap_create_function'] }, undefined],
  ])('%s is for the right one', (_title, shape, abi) => {
    expect(abiOf(shape)).toBe(abi)
  })

  it('that is damaged anywhere does no worse than be refused', () => {
    for (const shape of [legacy, { ...legacy, packed: true }]) {
      const whole = writeElf(shape)
      for (let at = 0; at < whole.length; at += 1) {
        const bytes = Buffer.from(whole)
        bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at)
        try {
          readAddonAbi(elfBytes(bytes, 'x'))
        } catch (error) {
          expect(error).toBeInstanceOf(OciBuildError)
        }
      }
    }
  })

  const headers = [resolve(dirname(process.execPath), '../include/node'), '/usr/include/node'].find(
    (folder) => existsSync(join(folder, 'node.h')),
  )
  // What is not found by its name finds no assembler either.
  const compiler = findPeer('g++')
  const here = process.platform === 'linux' && headers !== undefined && compiler !== undefined

  it.skipIf(!here)('compiled with NODE_MODULE is for this Node.js (where a compiler and headers are)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ocibuild-addon-'))
    const init = 'void Init(v8::Local<v8::Object>, v8::Local<v8::Value>, void*) {}'
    writeFileSync(join(folder, 'a.cc'), `#include <node.h>\n${init}\nNODE_MODULE(addon, Init)\n`)
    const flags = ['-shared', '-fPIC', '-w', '-std=c++20', `-I${headers}`, 'a.cc', '-o', 'a.node']
    execFileSync(compiler ?? '', flags, { cwd: folder, stdio: 'pipe' })
    expect(withElfFile(join(folder, 'a.node'), readAddonAbi)).toBe(Number(process.versions.modules))
  })
})
