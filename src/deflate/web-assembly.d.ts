/** The little of WebAssembly that is used: its types come with a browser's, which are not ours. */

declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer
  }
  interface Instance {
    readonly exports: object
  }
  const Module: new (bytes: Uint8Array) => Module
  const Instance: new (module: Module) => Instance
}
