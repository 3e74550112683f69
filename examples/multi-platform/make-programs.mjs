// Stands in for a cross compiler: writes one static Linux program for each platform, of machine code written by hand.
// Each says `hello from PLATFORM` and ends.

import { mkdirSync, writeFileSync } from 'node:fs'

const word = (value) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24]

// write(1, message, length), then exit(0); the message follows the code.
const machines = {
  'linux-amd64': {
    elf: { wide: true, machine: 62, flags: 0 },
    code: (length) =>
      [
        [0xb8, ...word(1), 0xbf, ...word(1)], // mov eax, 1 (write); mov edi, 1
        [0x48, 0x8d, 0x35, ...word(16), 0xba, ...word(length)], // lea rsi, [rip + 16]; mov edx, length
        [0x0f, 0x05, 0xb8, ...word(60), 0x31, 0xff, 0x0f, 0x05], // syscall; mov eax, 60 (exit); xor edi, edi; syscall
      ].flat(),
  },
  'linux-arm64': {
    elf: { wide: true, machine: 183, flags: 0 },
    code: (length) =>
      [
        [0xd2800020, 0x100000e1, 0xd2800002 | (length << 5)], // mov x0, 1; adr x1, message; mov x2, length
        [0xd2800808, 0xd4000001], // mov x8, 64 (write); svc 0
        [0xd2800000, 0xd2800ba8, 0xd4000001], // mov x0, 0; mov x8, 93 (exit); svc 0
      ]
        .flat()
        .flatMap(word),
  },
  'linux-arm-v7': {
    elf: { wide: false, machine: 40, flags: 0x05000000 },
    code: (length) =>
      [
        [0xe3a00001, 0xe28f1014, 0xe3a02000 | length], // mov r0, 1; add r1, pc, 20; mov r2, length
        [0xe3a07004, 0xef000000], // mov r7, 4 (write); svc 0
        [0xe3a00000, 0xe3a07001, 0xef000000], // mov r0, 0; mov r7, 1 (exit); svc 0
      ]
        .flat()
        .flatMap(word),
  },
}

for (const [name, { elf, code }] of Object.entries(machines)) {
  const message = Buffer.from(`hello from ${name.replaceAll('-', '/')}\n`)
  mkdirSync(`dist/${name}`, { recursive: true })
  writeFileSync(`dist/${name}/hello`, program(elf, Buffer.from(code(message.length)), message))
}

/** An ELF file of one segment that is loaded and run. */
function program({ wide, machine, flags }, code, message) {
  const headers = wide ? 64 + 56 : 52 + 32
  const start = 0x10000
  const bytes = Buffer.concat([Buffer.alloc(headers), code, message])
  const u16 = (at, value) => bytes.writeUInt16LE(value, at)
  const u32 = (at, value) => bytes.writeUInt32LE(value, at)
  const address = (at, value) => (wide ? bytes.writeBigUInt64LE(BigInt(value), at) : u32(at, value))
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1])
  u16(16, 2) // executable
  u16(18, machine)
  u32(20, 1)
  address(24, start + headers) // entry
  address(wide ? 32 : 28, wide ? 64 : 52) // program headers
  u32(wide ? 48 : 36, flags)
  u16(wide ? 52 : 40, wide ? 64 : 52)
  u16(wide ? 54 : 42, wide ? 56 : 32)
  u16(wide ? 56 : 44, 1)
  const segment = wide ? 64 : 52
  u32(segment, 1) // loaded
  u32(segment + (wide ? 4 : 24), 5) // readable, executable
  address(segment + (wide ? 16 : 8), start)
  address(segment + (wide ? 24 : 12), start)
  address(segment + (wide ? 32 : 16), bytes.length)
  address(segment + (wide ? 40 : 20), bytes.length)
  address(segment + (wide ? 48 : 28), 0x1000)
  return bytes
}
