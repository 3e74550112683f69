/**
 * What a thread runs. In a string, since a thread loads its code by itself, and ours may be TypeScript, a bundle or a
 * test's. It compresses as `encode-block.ts` does, and answers tasks in the order in which they come.
 */

import { hashFilesCode } from './hash-files-code.ts'

export const threadCode: string = `
const { parentPort, workerData } = require('node:worker_threads')
const zlib = require('node:zlib')
const { module, windowBytes } = workerData
${hashFilesCode}
let encoder
const streams = new Map()
const tasks = {
  hashFiles,
  deflate({ buffer, start, length, dictionaryLength, level, output }) {
    encoder ??= new WebAssembly.Instance(module).exports
    const bytes = new Uint8Array(encoder.memory.buffer)
    const input = new Uint8Array(buffer, start - dictionaryLength, dictionaryLength + length)
    bytes.set(input, encoder.inputPtr() + windowBytes - dictionaryLength)
    const size = encoder.deflate(length, dictionaryLength, level)
    new Uint8Array(output).set(bytes.subarray(encoder.outputPtr(), encoder.outputPtr() + size))
    parentPort.postMessage(size)
  },
  zstd({ buffer, start, length, options, output }) {
    const frame = zlib.zstdCompressSync(new Uint8Array(buffer, start, length), options)
    new Uint8Array(output).set(frame)
    parentPort.postMessage(frame.length)
  },
  hash({ id, buffer, start, length, withCrc32 }) {
    const bytes = new Uint8Array(buffer, start, length)
    const stream = streams.get(id) ?? { hash: createHash('sha256'), crc: 0 }
    stream.hash.update(bytes)
    // Of no bytes zlib gives 0, not what there was.
    if (withCrc32 && length > 0) stream.crc = zlib.crc32(bytes, stream.crc)
    streams.set(id, stream)
    parentPort.postMessage(undefined)
  },
  sums({ id }) {
    const { hash, crc } = streams.get(id) ?? { hash: createHash('sha256'), crc: 0 }
    streams.delete(id)
    parentPort.postMessage({ sha256: hash.digest('hex'), crc32: crc })
  },
}
parentPort.on('message', (message) => tasks[message.task](message))
`
