/**
 * What a thread runs. In a string, since a thread loads its code by itself, and ours may be TypeScript, a bundle or a
 * test's. It compresses as `encode-block.ts` does, and answers tasks in the order in which they come.
 */

import { readFilesCode } from './read-files-code.ts'

export const threadCode: string = `
const { parentPort, workerData } = require('node:worker_threads')
const zlib = require('node:zlib')
const { module, windowBytes } = workerData
${readFilesCode}
let encoder
const streams = new Map()
const addToStream = ({ id, buffer, start, length, withCrc32 }) => {
  const bytes = new Uint8Array(buffer, start, length)
  const stream = streams.get(id) ?? createHash('sha256')
  stream.update(bytes)
  streams.set(id, stream)
  return withCrc32 ? zlib.crc32(bytes) : 0
}
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
  hash(block) {
    parentPort.postMessage(addToStream(block))
  },
  readAndHash({ paths, ranges, ...block }) {
    const stats = readFiles(block.buffer, paths, ranges)
    parentPort.postMessage({ crc32: addToStream(block), stats }, [stats.buffer])
  },
  sum({ id }) {
    const stream = streams.get(id) ?? createHash('sha256')
    streams.delete(id)
    parentPort.postMessage(stream.digest('hex'))
  },
}
parentPort.on('message', (message) => tasks[message.task](message))
`
