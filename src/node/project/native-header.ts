/** What a native file runs on, by its header: ELF, Mach-O or PE. */

import { readAddonAbi, type AddonAbi } from '../addon-abi.ts'
import type { Libc } from '../base-runtime.ts'
import { cpuOfMachine } from '../elf-machines.ts'
import { parseElfVersions } from '../elf-versions.ts'
import { readElf, type ElfSource } from '../elf.ts'

export interface NativeHeader {
  readonly os: 'linux' | 'darwin' | 'win32' | 'freebsd'
  /** As Node.js calls it; several of a Mach-O for many; a number where it has no name here. */
  readonly cpus: readonly string[]
  /** Of ELF that is linked with one. */
  readonly libc: Libc | undefined
}

/** What an ELF file asks of the system that loads it. */
export interface NativeNeeds {
  /** Libraries, by the names that it asks for. */
  readonly libraries: readonly string[]
  /** Symbol versions, by library. */
  readonly versions: ReadonlyMap<string, readonly string[]>
  readonly abi: AddonAbi
}

const machCpus: Readonly<Record<number, string>> = { 0x7: 'ia32', 0x1000007: 'x64', 0x100000c: 'arm64' }
const peMachines: Readonly<Record<number, string>> = { 0x14c: 'ia32', 0x8664: 'x64', 0xaa64: 'arm64' }
/** ET_REL: what linkers take, and nothing loads. */
const relocatable = 1

/** Undefined for a file that is none of them. Throws `OCB-ELF-INVALID` for half an ELF file. */
export function readNativeHeader(source: ElfSource): NativeHeader | undefined {
  if (source.size < 20) return undefined
  const head = Buffer.from(source.read(0, Math.min(source.size, 4)))
  const magic = head.readUInt32BE(0)
  if (magic === 0x7f454c46) return elfHeader(source)
  if (magic === 0xcffaedfe || magic === 0xcefaedfe || magic === 0xcafebabe || magic >>> 16 === 0x4d5a) {
    return otherHeader(magic, Buffer.from(source.read(0, Math.min(source.size, 4096))))
  }
  return undefined
}

/** Of an ELF file. Throws `OCB-ELF-INVALID`. */
export function readNativeNeeds(source: ElfSource): NativeNeeds {
  const { needed } = readElf(source)
  return { libraries: needed, versions: parseElfVersions(source).needs, abi: readAddonAbi(source) }
}

function otherHeader(magic: number, head: Buffer): NativeHeader | undefined {
  if (magic === 0xcffaedfe || magic === 0xcefaedfe) return mach([head.readUInt32LE(4)])
  if (magic === 0xcafebabe) {
    // A class file of Java begins alike; its second word is a version, and no number of architectures.
    if (head.readUInt32BE(4) >= 40) return undefined
    const count = Math.min(head.readUInt32BE(4), Math.floor((head.length - 8) / 20))
    return mach(Array.from({ length: count }, (_, index) => head.readUInt32BE(8 + index * 20)))
  }
  if (head.length < 64) return undefined
  const at = head.readUInt32LE(60)
  if (at + 6 > head.length || head.readUInt32BE(at) !== 0x50450000) return undefined
  const machine = head.readUInt16LE(at + 4)
  return { os: 'win32', cpus: [peMachines[machine] ?? String(machine)], libc: undefined }
}

function mach(types: readonly number[]): NativeHeader {
  return { os: 'darwin', cpus: types.map((type) => machCpus[type] ?? String(type)), libc: undefined }
}

function elfHeader(source: ElfSource): NativeHeader | undefined {
  const { machine, needed, interpreter, type, osAbi } = readElf(source)
  if (type === relocatable) return undefined
  const isMusl = [...needed, interpreter ?? ''].some((name) => /(?:libc|ld)[.-]musl-|^libc\.so$/.test(name))
  const isGlibc = [...needed, interpreter ?? ''].some((name) =>
    /(?:^|\/)(?:libc\.so\.6|ld-linux[^/]*)$/.test(name),
  )
  return {
    // Linux files carry 0 or 3.
    os: osAbi === 9 ? 'freebsd' : 'linux',
    cpus: [cpuOfMachine(machine)],
    libc: isMusl ? 'musl' : isGlibc ? 'glibc' : undefined,
  }
}
