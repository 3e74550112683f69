/** The deflate encoder as a WebAssembly module, compiled once a process. Its source lies in `assembly/`. */

import { deflateWasm } from './deflate-wasm.ts'

/** How far back deflate looks, in bytes (RFC 1951, section 2): a block's dictionary is this much of what precedes it. */
export const windowBytes: number = 32 * 1024

/** The longest block that it takes, in bytes. */
export const maxBlockBytes: number = 1024 * 1024 + 1024

/** What the module exports. The input lies `windowBytes` after `inputPtr()`, the dictionary right before it. */
export interface DeflateExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  inputPtr(): number
  outputPtr(): number
  /** Compresses `length` bytes after a dictionary of so many; gives the length of the output. */
  deflate(length: number, dictionaryLength: number, level: number): number
}

/** The little that is used of it: its types come with a browser's, which are not ours. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

let compiled: object | undefined

/** To be given to `instantiate`, or to a thread. */
export function deflateModule(): object {
  compiled ??= new WebAssembly.Module(Buffer.from(deflateWasm, 'base64'))
  return compiled
}

/** An encoder with memory of its own. */
export function instantiate(): DeflateExports {
  const { exports } = new WebAssembly.Instance(deflateModule())
  if (!isDeflate(exports)) throw new Error('the deflate module lacks an export')
  return exports
}

function isDeflate(exports: object): exports is DeflateExports {
  const has = (name: string): boolean => typeof Reflect.get(exports, name) === 'function'
  return 'memory' in exports && has('inputPtr') && has('outputPtr') && has('deflate')
}
