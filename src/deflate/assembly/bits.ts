/** The bit writer: fewer than 8 bits wait in the buffer between calls. */
import { OUTPUT } from './memory'

export let bitBuffer: u64 = 0
export let bitCount: u64 = 0
export let outPos: usize = OUTPUT

export function setBits(buffer: u64, count: u64, out: usize): void {
  bitBuffer = buffer
  bitCount = count
  outPos = out
}

/** Writes the low `n` bits of `value`, which has no others; n <= 56. */
export function putBits(value: u64, n: u64): void {
  bitBuffer |= value << bitCount
  bitCount += n
  store<u64>(outPos, bitBuffer)
  outPos += <usize>(bitCount >> 3)
  bitBuffer >>= bitCount & 56
  bitCount &= 7
}

/** Pads with zero bits to a whole byte. */
function alignBits(): void {
  if (bitCount > 0) store<u8>(outPos++, <u8>bitBuffer)
  bitBuffer = 0
  bitCount = 0
}

/** Bits that putStored() would write now for `length` bytes (at least one). */
export function storedCost(length: u32): u64 {
  const blocks = (length + 65534) / 65535
  const padding = (5 - bitCount) & 7
  return <u64>length * 8 + <u64>blocks * 40 - 5 + padding
}

/** Stored blocks of up to 65535 bytes; writes an empty one for length 0. */
export function putStored(from: usize, length: u32): void {
  do {
    const n: u32 = length > 65535 ? 65535 : length
    putBits(0, 3)
    alignBits()
    store<u32>(outPos, n | (~n << 16))
    memory.copy(outPos + 4, from, n)
    outPos += 4 + n
    from += n
    length -= n
  } while (length > 0)
}
