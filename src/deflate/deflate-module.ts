/** The deflate encoder as a WebAssembly module, compiled once a process. Its source lies in `assembly/`. */

import { deflateWasm } from './deflate-wasm.ts'

/** How far back deflate looks, in bytes (RFC 1951, section 2): a block's dictionary is this much of what precedes it. */
export const windowBytes: number = 32 * 1024

/** The longest block that it takes, in bytes. */
export const maxBlockBytes: number = 1024 * 1024 + 1024

/** What the module exports. The input lies `windowBytes` after `inputPtr()`, the dictionary right before it. */
export interface DeflateExports {
  readonly memory: WebAssembly.Memory
  inputPtr(): number
  outputPtr(): number
  /** Compresses `length` bytes after a dictionary of so many; gives the length of the output. */
  deflate(length: number, dictionaryLength: number, level: number): number
}

let compiled: WebAssembly.Module | undefined

export function deflateModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Buffer.from(deflateWasm, 'base64'))
  return compiled
}
