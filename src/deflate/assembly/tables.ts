/** Static tables, computed once when the module is instantiated. */
import { DIST_BASE, DIST_TOKEN, EXTRA_BITS, LENGTH_TOKEN, LOG_TABLE } from './memory'

export function fillTables(): void {
  fillDistances()
  fillLengths()
  fillLogs()
}

function fillDistances(): void {
  let first: u32 = 1
  for (let slot: u32 = 0; slot < 30; slot++) {
    const extra: u32 = slot < 2 ? 0 : (slot >> 1) - 1
    store<u8>(EXTRA_BITS + DIST_BASE + slot, <u8>extra)
    const next = first + (1 << extra)
    const token = ((<u32>DIST_BASE + slot) << 2) - (first << 16)
    for (let d = first - 1; d < next - 1; d++) {
      if (d < 256) store<u32>(DIST_TOKEN + (d << 2), token)
      else if ((d & 127) == 0) store<u32>(DIST_TOKEN + ((256 + (d >> 7)) << 2), token)
    }
    first = next
  }
}

function fillLengths(): void {
  let length: u32 = 3
  for (let i: u32 = 0; i < 28; i++) {
    const extra: u32 = i < 8 ? 0 : (i >> 2) - 1
    store<u8>(EXTRA_BITS + 257 + i, <u8>extra)
    for (let x: u32 = 0; x < 1 << extra; x++) {
      store<u32>(LENGTH_TOKEN + ((length + x) << 2), ((257 + i) << 2) | (x << 16))
    }
    length += 1 << extra
  }
  // The longest length has a symbol of its own, without extra bits.
  store<u32>(LENGTH_TOKEN + (258 << 2), 285 << 2)
}

/** Binary logarithms by repeated squaring, in integers: same on every CPU. */
function fillLogs(): void {
  for (let i: u32 = 0; i < 256; i++) {
    let x: u64 = <u64>(256 + i) << 22 // 2.30 fixed point, 1 <= x < 2
    let log: u32 = 0
    for (let bit = 0; bit < 9; bit++) {
      x = (x * x) >> 30
      log <<= 1
      if (x >= 1 << 31) {
        log |= 1
        x >>= 1
      }
    }
    store<u16>(LOG_TABLE + (i << 1), <u16>((log + 1) >> 1))
  }
}
