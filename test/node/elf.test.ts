import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OciBuildError } from '../../src/errors.ts'
import { readElf, readElfBytes, readElfFile, type ElfInfo } from '../../src/node/elf.ts'
import { writeElf } from '../helpers/write-elf.ts'
import { skipOrFail } from '../helpers/peers.ts'

const shape = {
  interpreter: '/lib/ld.so.1',
  soname: 'libx.so.1',
  needed: ['liba.so.1', 'libb.so.2'],
  rpath: '/opt/a:$ORIGIN/../lib',
  runpath: '/opt/b',
} as const

describe('an ELF file', () => {
  it.each([
    [32, true],
    [32, false],
    [64, true],
    [64, false],
  ] as const)('of %i bits, little endian %s, gives what a loader reads', (bits, littleEndian) => {
    expect(readElfBytes(writeElf({ ...shape, bits, littleEndian, machine: 40, flags: 0x400 }), 'x')).toEqual({
      bits,
      littleEndian,
      osAbi: 0,
      type: 3,
      machine: 40,
      flags: 0x400,
      interpreter: '/lib/ld.so.1',
      needed: ['liba.so.1', 'libb.so.2'],
      soname: 'libx.so.1',
      rpath: ['/opt/a', '$ORIGIN/../lib'],
      runpath: ['/opt/b'],
    })
  })

  it('without a dynamic section needs nothing', () => {
    const bytes = writeElf({})
    bytes.writeUInt16LE(1, 56)
    expect(readElfBytes(bytes, 'static')).toMatchObject({ interpreter: undefined, needed: [] })
  })

  it.runIf(process.platform === 'linux')('of this host is read as readelf reads it', (context) => {
    for (const path of ['/bin/true', process.execPath]) {
      let printed: string
      try {
        printed = execFileSync('readelf', ['-dlW', path], { encoding: 'utf8' })
      } catch {
        return skipOrFail(context, 'readelf is not installed')
      }
      const info = readElfFile(realpathSync(path))
      expect(info.needed).toEqual([...printed.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((match) => match[1]))
      expect(info.interpreter).toBe(/interpreter: (.+)\]/.exec(printed)?.[1])
    }
  })

  it.runIf(process.platform === 'linux')('is not read whole', () => {
    const bytes = readFileSync(process.execPath)
    let read = 0
    readElf({
      name: 'node',
      size: bytes.length,
      read(offset, length) {
        read += length
        return bytes.subarray(offset, offset + length)
      },
    })
    expect(read).toBeLessThan(1 << 20)
  })
})

describe('bytes that are no whole ELF file', () => {
  const whole = writeElf(shape)
  const outcome = (bytes: Uint8Array): ElfInfo | 'refused' => {
    try {
      return readElfBytes(bytes, 'x')
    } catch (error) {
      if (error instanceof OciBuildError && error.code === 'OCB-ELF-INVALID') return 'refused'
      throw error
    }
  }

  it('are refused at every length but the whole', () => {
    for (let length = 0; length < whole.length; length++) {
      expect(outcome(whole.subarray(0, length)), `${length} of ${whole.length} bytes`).toBe('refused')
    }
    expect(outcome(whole)).not.toBe('refused')
  })

  it.each([
    ['text', Buffer.from('#!/bin/sh\nexec node "$@"\n')],
    ['nothing', Buffer.alloc(0)],
    ['another class', patched((bytes) => bytes.writeUInt8(3, 4))],
    ['another byte order', patched((bytes) => bytes.writeUInt8(0, 5))],
    ['program headers past the end', patched((bytes) => bytes.writeBigUInt64LE(1n << 40n, 32))],
    ['an offset above every file', patched((bytes) => bytes.writeBigUInt64LE(2n ** 64n - 1n, 32))],
    ['65535 program headers', patched((bytes) => bytes.writeUInt16LE(0xffff, 56))],
    ['program headers of one byte', patched((bytes) => bytes.writeUInt16LE(1, 54))],
    ['a dynamic section of 1 TiB', patched((bytes) => bytes.writeBigUInt64LE(1n << 40n, 64 + 56 + 32))],
    ['an interpreter past the end', patched((bytes) => bytes.writeBigUInt64LE(1n << 33n, 64 + 112 + 8))],
    ['names in no loaded segment', patched((bytes) => bytes.writeBigUInt64LE(1n, 64 + 16))],
  ])('are refused: %s', (_, bytes) => {
    expect(outcome(bytes)).toBe('refused')
  })

  it('never do worse than be refused', () => {
    const edits = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(edits, (changes) => {
        const bytes = Buffer.from(whole)
        for (const [at, value] of changes) bytes.writeUInt8(value, at)
        outcome(bytes)
      }),
      { numRuns: 3000 },
    )
  })

  it('are named in the message, as are files', () => {
    expect(() => readElfFile(import.meta.filename)).toThrow(import.meta.filename)
    expect(existsSync('/nowhere')).toBe(false)
    expect(() => readElfFile('/nowhere')).toThrow('ENOENT')
  })

  function patched(change: (bytes: Buffer) => unknown): Buffer {
    const bytes = Buffer.from(writeElf(shape))
    change(bytes)
    return bytes
  }
})
