/** Compressing blocks at once, on as many threads as there are cores; their bytes do not depend on which or when. */

import { Worker } from 'node:worker_threads'
import { deflateModule, windowBytes } from './deflate-module.ts'
import { encodeBlock, type DeflateJob } from './encode-block.ts'

export interface Deflater {
  /** Threads that work at once. */
  readonly threads: number
  /**
   * Compresses a block. The job's buffer may not change until the promise settles; a shared one is not copied on the way.
   */
  deflate(job: DeflateJob): Promise<Uint8Array>
  /** Compresses a block right here: for what is not worth starting threads for. */
  deflateHere(job: DeflateJob): Uint8Array
  /** Ends the threads; a later block starts new ones. */
  close(): Promise<void>
}

/** A thread, and the blocks that it was given and has not answered, in order. */
interface Thread {
  readonly worker: Worker
  readonly waiting: { resolve(bytes: Uint8Array): void; reject(error: unknown): void }[]
}

// In a string since a thread loads its code by itself, and ours may be TypeScript, a bundle or a test's. The same steps
// as `encodeBlock`.
const threadCode = `
const { parentPort, workerData } = require('node:worker_threads')
const { module, windowBytes } = workerData
const { memory, inputPtr, outputPtr, deflate } = new WebAssembly.Instance(module).exports
const bytes = new Uint8Array(memory.buffer)
parentPort.on('message', ({ buffer, start, length, dictionaryLength, level }) => {
  const input = new Uint8Array(buffer, start - dictionaryLength, dictionaryLength + length)
  bytes.set(input, inputPtr() + windowBytes - dictionaryLength)
  const size = deflate(length, dictionaryLength, level)
  const deflated = bytes.slice(outputPtr(), outputPtr() + size)
  parentPort.postMessage(deflated, [deflated.buffer])
})
`

/** Threads start with the first block that is given to them. */
export function createDeflater(threads: number): Deflater {
  const running: Thread[] = []

  const start = (): Thread => {
    const workerData = { module: deflateModule(), windowBytes }
    const worker = new Worker(threadCode, { eval: true, workerData, execArgv: [] })
    const thread: Thread = { worker, waiting: [] }
    const fail = (error: unknown): void => {
      for (const { reject } of thread.waiting.splice(0)) reject(error)
    }
    worker.on('message', (deflated: Uint8Array) => {
      thread.waiting.shift()?.resolve(deflated)
      // An idle thread keeps nobody's process from ending.
      if (thread.waiting.length === 0) worker.unref()
    })
    worker.on('error', fail)
    worker.on('exit', (status) => fail(new Error(`a compressing thread ended with ${status}`)))
    running.push(thread)
    return thread
  }
  /** The one with least to do. */
  const next = (): Thread => {
    if (running.length < threads) return start()
    return running.reduce((least, thread) => (thread.waiting.length < least.waiting.length ? thread : least))
  }

  return {
    threads,
    deflate(job) {
      const thread = next()
      return new Promise((resolve, reject) => {
        thread.waiting.push({ resolve, reject })
        thread.worker.ref()
        thread.worker.postMessage(job)
      })
    },
    deflateHere: encodeBlock,
    async close() {
      await Promise.all(running.splice(0).map(({ worker }) => worker.terminate()))
    },
  }
}
