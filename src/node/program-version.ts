/** The release of a program of Node.js, read from the program without running it. */

import type { ByteStream } from '../content/store.ts'
import { modulesOf } from './node-abi.ts'

export interface NodeRelease {
  /** `22.11.0` */
  readonly version: string
  /** NODE_MODULE_VERSION; undefined for a release that says none and is not known here. */
  readonly modules: number | undefined
}

/** No string that is looked for is longer, in bytes. */
const overlap = 128

/** Undefined for what is no Node.js. Reads all of it once, and keeps none. */
export async function readNodeRelease(content: ByteStream): Promise<NodeRelease | undefined> {
  const versions = new Set<string>()
  let modules: number | undefined
  let tail = ''
  for await (const chunk of content) {
    const text = tail + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')
    // `process.version` is a string of C, or of V8's snapshot; `process.config` is JSON, and has the module version.
    for (const [, version] of text.matchAll(/[^ -~]v(\d+\.\d+\.\d+(?:-[a-z0-9.]+)?)(?=[^ -~])/g)) {
      if (version !== undefined) versions.add(version)
    }
    const found = /"node_module_version": ?(\d+)/.exec(text)?.[1]
    if (found !== undefined) modules = Number(found)
    tail = text.slice(-overlap)
  }
  // Libraries inside have versions of their own.
  const candidates = [...versions].sort((one, other) => Number.parseInt(other, 10) - Number.parseInt(one, 10))
  const version =
    candidates.find((item) => modules !== undefined && modulesOf(item) === modules) ??
    candidates.find((item) => modules !== undefined && modulesOf(item) === undefined) ??
    (candidates.length === 1 ? candidates[0] : undefined)
  return version === undefined ? undefined : { version, modules: modules ?? modulesOf(version) }
}
