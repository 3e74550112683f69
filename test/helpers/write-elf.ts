/** Makes the smallest ELF file that a loader could read names from: no code, only headers and a dynamic section. */

export interface ElfShape {
  readonly bits?: 32 | 64
  readonly littleEndian?: boolean
  readonly machine?: number
  readonly flags?: number
  readonly interpreter?: string
  readonly soname?: string
  readonly needed?: readonly string[]
  readonly rpath?: string
  readonly runpath?: string
  /** Names among the dynamic symbols. */
  readonly symbols?: readonly string[]
  /** Symbol versions that it defines, and those that it needs, by library. */
  readonly defines?: readonly string[]
  readonly needs?: Readonly<Record<string, readonly string[]>>
  /** What NODE_MODULE lays down, with this nm_version. 64 bits only. */
  readonly module?: number
  /** Its relocations are packed, as `-z pack-relative-relocs` packs them. */
  readonly packed?: boolean
}

/** Layout: header, three program headers, interpreter, string table, other tables, dynamic section; loaded at 0x10000. */
export function writeElf(shape: ElfShape): Buffer {
  const { bits = 64, littleEndian = true, machine = 62, flags = 0, interpreter } = shape
  const wide = bits === 64
  const headerBytes = wide ? 64 : 52
  const segmentBytes = wide ? 56 : 32
  const loadAddress = 0x10000

  let strings = '\0'
  const intern = (text: string): number => {
    const at = strings.length
    strings += `${text}\0`
    return at
  }
  const tags: [number, number][] = []
  for (const name of shape.needed ?? []) tags.push([1, intern(name)])
  if (shape.soname !== undefined) tags.push([14, intern(shape.soname)])
  if (shape.rpath !== undefined) tags.push([15, intern(shape.rpath)])
  if (shape.runpath !== undefined) tags.push([29, intern(shape.runpath)])

  for (const name of shape.symbols ?? []) intern(name)
  const defined = (shape.defines ?? []).map(intern)
  const needed = Object.entries(shape.needs ?? {}).map(([library, versions]) => ({
    library: intern(library),
    versions: versions.map(intern),
  }))
  const [filename, modname] = [intern('../addon.cc'), intern('addon')]

  const interpreterAt = headerBytes + 3 * segmentBytes
  const interpreterBytes = interpreter === undefined ? 0 : interpreter.length + 1
  const stringsAt = interpreterAt + interpreterBytes
  const definedAt = stringsAt + strings.length
  const neededAt = definedAt + defined.length * 28
  const neededBytes = needed.reduce((sum, { versions }) => sum + 16 + versions.length * 16, 0)
  const moduleAt = neededAt + neededBytes
  const relocationsAt = moduleAt + (shape.module === undefined ? 0 : 64)
  const dynamicAt = relocationsAt + (shape.module === undefined ? 0 : 72)
  if (defined.length > 0) tags.push([0x6ffffffc, loadAddress + definedAt])
  if (needed.length > 0) tags.push([0x6ffffffe, loadAddress + neededAt])
  if (shape.module !== undefined && shape.packed === true)
    tags.push([36, loadAddress + relocationsAt], [35, 16])
  else if (shape.module !== undefined) tags.push([7, loadAddress + relocationsAt], [8, 72])
  tags.push([5, loadAddress + stringsAt], [10, strings.length], [0, 0])
  const dynamicBytes = tags.length * (wide ? 16 : 8)
  const size = dynamicAt + dynamicBytes

  const bytes = Buffer.alloc(size)
  const u16 = (value: number, at: number): unknown =>
    littleEndian ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at)
  const u32 = (value: number, at: number): unknown =>
    littleEndian ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at)
  const word = (value: number, at: number): void => {
    if (!wide) u32(value, at)
    else if (littleEndian) bytes.writeBigUInt64LE(BigInt(value), at)
    else bytes.writeBigUInt64BE(BigInt(value), at)
  }

  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, littleEndian ? 1 : 2, 1])
  u16(3, 16)
  u16(machine, 18)
  u32(1, 20)
  word(headerBytes, wide ? 32 : 28)
  u32(flags, wide ? 48 : 36)
  u16(headerBytes, wide ? 52 : 40)
  u16(segmentBytes, wide ? 54 : 42)
  u16(3, wide ? 56 : 44)
  const segments = [
    [1, 0, loadAddress, size],
    [2, dynamicAt, loadAddress + dynamicAt, dynamicBytes],
    // PT_NULL stands in for an interpreter that is not there.
    [interpreter === undefined ? 0 : 3, interpreterAt, loadAddress + interpreterAt, interpreterBytes],
  ] as const
  segments.forEach(([type, offset, address, length], index) => {
    const at = headerBytes + index * segmentBytes
    u32(type, at)
    word(offset, at + (wide ? 8 : 4))
    word(address, at + (wide ? 16 : 8))
    word(length, at + (wide ? 32 : 16))
  })
  if (interpreter !== undefined) bytes.write(`${interpreter}\0`, interpreterAt, 'latin1')
  bytes.write(strings, stringsAt, 'latin1')
  defined.forEach((name, index) => {
    const at = definedAt + index * 28
    u32(20, at + 12)
    u32(index === defined.length - 1 ? 0 : 28, at + 16)
    u32(name, at + 20)
  })
  let needAt = neededAt
  needed.forEach(({ library, versions }, index) => {
    const size = 16 + versions.length * 16
    u16(versions.length, needAt + 2)
    u32(library, needAt + 4)
    u32(16, needAt + 8)
    u32(index === needed.length - 1 ? 0 : size, needAt + 12)
    versions.forEach((version, position) => {
      u32(version, needAt + 16 + position * 16 + 8)
      u32(position === versions.length - 1 ? 0 : 16, needAt + 16 + position * 16 + 12)
    })
    needAt += size
  })
  if (shape.module !== undefined) {
    u32(shape.module, moduleAt)
    const relative = machine === 183 ? 1027 : 8
    const addresses = [
      [16, stringsAt + filename],
      [24, 0],
      [40, stringsAt + modname],
    ] as const
    if (shape.packed === true) {
      // A place, and a bit for each place after it.
      word(loadAddress + moduleAt + 16, relocationsAt)
      word(0b1011, relocationsAt + 8)
      for (const [offset, target] of addresses) word(loadAddress + target, moduleAt + offset)
    } else {
      addresses.forEach(([offset, target], index) => {
        word(loadAddress + moduleAt + offset, relocationsAt + index * 24)
        word(relative, relocationsAt + index * 24 + 8)
        word(loadAddress + target, relocationsAt + index * 24 + 16)
      })
    }
  }
  tags.forEach(([tag, value], index) => {
    word(tag, dynamicAt + index * (wide ? 16 : 8))
    word(value, dynamicAt + index * (wide ? 16 : 8) + (wide ? 8 : 4))
  })
  return bytes
}
