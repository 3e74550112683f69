/** Compressing and hashing blocks on as many threads as there are cores; the bytes do not depend on which or when. */

import { Worker } from 'node:worker_threads'
import { deflateModule, windowBytes } from './deflate-module.ts'
import { encodeBlock, type DeflateJob } from './encode-block.ts'
import type { FileParts, PartStats } from './file-part.ts'
import { FileRun, type FileRange } from './file-run.ts'
import { threadCode } from './thread-code.ts'

/** Bytes in a buffer. A shared one is not copied on its way to a thread; nobody may change it until it is done with. */
export interface Block {
  readonly buffer: ArrayBufferLike
  /** In bytes. */
  readonly start: number
  readonly length: number
}

/** Hashes blocks in the order in which they are added. */
export interface StreamHasher {
  /** Settles when the block is hashed, with its crc32. */
  add(block: Block): Promise<number>
  /** Reads parts of files into the block's buffer, then hashes the block. Absent where no thread would do it. */
  readAndAdd?(block: Block, parts: FileParts): Promise<ReadBlock>
  /** The sha256 of them all, in hex. */
  end(): Promise<string>
}

/** A block that was filled and hashed. */
export interface ReadBlock {
  readonly crc32: number
  readonly stats: PartStats
}

/** A block to become a zstd frame. */
export interface ZstdJob extends Block {
  /** Those of zstdCompressSync of node:zlib. */
  readonly options: object
}

export interface Deflater {
  /** Threads that work at once. */
  readonly threads: number
  /** Starts the threads, for work that is sure to come: else they start with it. */
  start(): void
  /** Compresses a block into `output`, which takes the longest result: see `outputBytes`. Gives what of it is filled. */
  deflate(job: DeflateJob, output: SharedArrayBuffer): Promise<Uint8Array>
  /** Compresses a block right here: for what is not worth starting threads for. */
  deflateHere(job: DeflateJob): Uint8Array
  /** Makes a zstd frame in `output`, which must have room. Fails where this Node.js has no zstd. */
  zstd(job: ZstdJob, output: SharedArrayBuffer): Promise<Uint8Array>
  /** A hasher on one of the threads; each crc32 is 0 unless it is asked for. */
  hasher(withCrc32: boolean): StreamHasher
  /**
   * Begins to read and hash files, on a thread fewer than there may be: whoever asks may take files too. `stats`: whether
   * what was seen of them is wanted; default true.
   */
  hashFiles(files: readonly FileRange[], stats?: boolean): FileRun
  /** Ends the threads. What they have not done fails, and so does all that is asked later. */
  close(): Promise<void>
}

/** A thread, and the tasks that it was given and has not answered, in order. */
interface Thread {
  readonly worker: Worker
  readonly waiting: {
    readonly cost: number
    resolve(answer: unknown): void
    reject(error: unknown): void
  }[]
  /** What they cost, in bytes to compress. */
  load: number
  ended: boolean
}

/** Hashing takes an eighth of the time of zstd, and less of deflate's. */
const hashCost = 1 / 8

/** Threads start with the first block that is given to them, or before. */
export function createDeflater(threads: number): Deflater {
  const running: Thread[] = []
  let closed = false
  let hashers = 0

  const startOne = (): Thread => {
    const workerData = { module: deflateModule(), windowBytes }
    const worker = new Worker(threadCode, { eval: true, workerData, execArgv: [] })
    const thread: Thread = { worker, waiting: [], load: 0, ended: false }
    const fail = (error: unknown): void => {
      for (const { reject } of thread.waiting.splice(0)) reject(error)
    }
    worker.on('message', (answer: unknown) => {
      const first = thread.waiting.shift()
      thread.load -= first?.cost ?? 0
      first?.resolve(answer)
      // An idle thread keeps nobody's process from ending; one that is being ended has somebody waiting for that.
      if (thread.waiting.length === 0 && !closed) worker.unref()
    })
    worker.on('error', fail)
    worker.on('exit', (status) => {
      thread.ended = true
      fail(endedError(status))
    })
    running.push(thread)
    return thread
  }
  /** The one with least to do; none is started beside an idle one, nor beyond `most`. */
  const next = (most = threads): Thread => {
    if (closed) throw endedError(0)
    const [first] = running
    if (first === undefined) return startOne()
    const least = running.reduce((one, other) => (other.load < one.load ? other : one))
    return least.waiting.length > 0 && running.length < most ? startOne() : least
  }
  const ask = (thread: Thread, task: object, cost: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const { worker, waiting, ended } = thread
      // Nobody would answer.
      if (ended) throw endedError(0)
      waiting.push({ cost, resolve, reject })
      thread.load += cost
      worker.ref()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage(task)
    })

  const compress = async (task: string, job: Block, output: SharedArrayBuffer): Promise<Uint8Array> => {
    const size = await ask(next(), { ...job, output, task }, job.length)
    if (typeof size === 'number') return new Uint8Array(output, 0, size)
    throw new Error('a compressing thread answered with something else')
  }

  return {
    threads,
    start() {
      if (closed) return
      // An idle one keeps nobody's process from ending.
      while (running.length < threads) startOne().worker.unref()
    },
    deflate: (job, output) => compress('deflate', job, output),
    deflateHere: (job) => encodeBlock(job),
    zstd: (job, output) => compress('zstd', job, output),
    hasher(withCrc32) {
      const id = (hashers += 1)
      // Not before there is a block: a layer that fails on its first file starts none.
      let thread: Thread | undefined
      const own = (): Thread => (thread ??= next())
      return {
        async add(block) {
          const task = { ...block, id, withCrc32, task: 'hash' }
          const answer = await ask(own(), task, block.length * hashCost)
          if (typeof answer === 'number') return answer
          throw new Error('a hashing thread answered with something else')
        },
        async readAndAdd(block, { paths, ranges }) {
          // No path has a NUL, and one string is handed over faster than many.
          const files = { paths: paths.join('\0'), ranges }
          const task = { ...block, id, withCrc32, ...files, task: 'readAndHash' }
          const answer = await ask(own(), task, block.length * hashCost * 2)
          if (isReadBlock(answer)) return answer
          throw new Error('a reading thread answered with something else')
        },
        async end() {
          const answer = await ask(own(), { id, task: 'sum' }, 0)
          if (typeof answer === 'string') return answer
          throw new Error('a hashing thread answered with something else')
        },
      }
    },
    hashFiles(files, stats = true) {
      const most = Math.max(threads - 1, 1)
      const bytes = files.reduce((total, { size }) => total + size, 0)
      return new FileRun(files, stats, async (task) => {
        const asked = Math.min(most, files.length)
        const ofEach = (bytes * hashCost) / Math.max(asked, 1)
        await Promise.all(
          Array.from({ length: asked }, () => ask(next(most), { ...task, task: 'hashFiles' }, ofEach)),
        )
      })
    },
    async close() {
      closed = true
      await Promise.all(running.splice(0).map(({ worker }) => worker.terminate()))
    },
  }
}

function isReadBlock(answer: unknown): answer is ReadBlock {
  if (typeof answer !== 'object' || answer === null) return false
  return (
    'crc32' in answer &&
    typeof answer.crc32 === 'number' &&
    'stats' in answer &&
    answer.stats instanceof Float64Array
  )
}

function endedError(status: number): Error {
  return new Error(`a compressing thread ended with ${status}`)
}
