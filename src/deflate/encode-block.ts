/** One block through the deflate encoder, in this thread. */

import { instantiate, windowBytes, type DeflateExports } from './deflate-module.ts'

/** A block and what precedes it, in one buffer: the dictionary ends where the block begins. */
export interface DeflateJob {
  readonly buffer: ArrayBufferLike
  /** Where the block begins, in bytes. */
  readonly start: number
  /** At most 1 MiB and 1 KiB. */
  readonly length: number
  /** At most 32 KiB, and at most `start`. */
  readonly dictionaryLength: number
  /** 1 to 9. */
  readonly level: number
}

/** The longest that a block of so many bytes can become: stored, in pieces of 64 KiB, with the flush. */
export function outputBytes(length: number): number {
  return length + 5 * Math.ceil(length / 65_535) + 5
}

let own: DeflateExports | undefined

/** Raw deflate that ends on a byte boundary with a sync flush, so that blocks can be joined. */
export function encodeBlock({ buffer, start, length, dictionaryLength, level }: DeflateJob): Uint8Array {
  own ??= instantiate()
  const memory = new Uint8Array(own.memory.buffer)
  const input = new Uint8Array(buffer, start - dictionaryLength, dictionaryLength + length)
  memory.set(input, own.inputPtr() + windowBytes - dictionaryLength)
  const size = own.deflate(length, dictionaryLength, level)
  return memory.slice(own.outputPtr(), own.outputPtr() + size)
}
