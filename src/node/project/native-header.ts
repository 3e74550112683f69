/** What a native file runs on, by its header: ELF, Mach-O or PE. */

import { readElfFile } from '../elf.ts'
import { readHead } from './file-head.ts'

export interface NativeHeader {
  readonly os: 'linux' | 'darwin' | 'win32' | 'freebsd'
  /** As Node.js calls it; several of a Mach-O for many; a number where it has no name here. */
  readonly cpus: readonly string[]
  /** Of ELF that is linked with one. */
  readonly libc: 'glibc' | 'musl' | undefined
}

const elfMachines: Readonly<Record<number, string>> = {
  3: 'ia32',
  8: 'mipsel',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
}
const machCpus: Readonly<Record<number, string>> = { 0x7: 'ia32', 0x1000007: 'x64', 0x100000c: 'arm64' }
const peMachines: Readonly<Record<number, string>> = { 0x14c: 'ia32', 0x8664: 'x64', 0xaa64: 'arm64' }

/** Undefined for a file that is none of them. Throws `OCB-ELF-INVALID` for half an ELF file. */
export function readNativeHeader(path: string): NativeHeader | undefined {
  const head = readHead(path, 4096)
  if (head.length < 20) return undefined
  const magic = head.readUInt32BE(0)
  if (magic === 0x7f454c46) return elfHeader(path, head)
  if (magic === 0xcffaedfe || magic === 0xcefaedfe) return mach([head.readUInt32LE(4)])
  if (magic === 0xcafebabe && head.readUInt32BE(4) < 40) {
    const count = Math.min(head.readUInt32BE(4), Math.floor((head.length - 8) / 20))
    return mach(Array.from({ length: count }, (_, index) => head.readUInt32BE(8 + index * 20)))
  }
  if (head.readUInt16BE(0) !== 0x4d5a || head.length < 64) return undefined
  const at = head.readUInt32LE(60)
  if (at + 6 > head.length || head.readUInt32BE(at) !== 0x50450000) return undefined
  const machine = head.readUInt16LE(at + 4)
  return { os: 'win32', cpus: [peMachines[machine] ?? String(machine)], libc: undefined }
}

function mach(types: readonly number[]): NativeHeader {
  return { os: 'darwin', cpus: types.map((type) => machCpus[type] ?? String(type)), libc: undefined }
}

function elfHeader(path: string, head: Buffer): NativeHeader {
  const { machine, needed, interpreter } = readElfFile(path)
  const isMusl = [...needed, interpreter ?? ''].some((name) => /(?:libc|ld)[.-]musl-|^libc\.so$/.test(name))
  const isGlibc = needed.some((name) => name.startsWith('libc.so.6'))
  return {
    // EI_OSABI 9; Linux files carry 0 or 3.
    os: head[7] === 9 ? 'freebsd' : 'linux',
    cpus: [elfMachines[machine] ?? String(machine)],
    libc: isMusl ? 'musl' : isGlibc ? 'glibc' : undefined,
  }
}
