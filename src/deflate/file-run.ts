/** Many files to be hashed, in memory that all threads share: each file is taken by whoever comes to it first. */

/** A part of a file, or all of it. */
export interface FileRange {
  /** Absolute. */
  readonly path: string
  /** In bytes. Default 0. */
  readonly offset?: number | undefined
  /** In bytes. */
  readonly size: number
}

/** What fstat said of a file once it was read. */
export interface FileSeen {
  readonly size: number
  readonly mtimeMs: number
  readonly ino: number
}

/** What a thread is given: see `read-files-code.ts`. */
export interface FileTask {
  /** NUL ends none, so it stands between them. */
  readonly paths: string
  readonly memory: SharedArrayBuffer
  /** Whether to ask fstat. */
  readonly stats: boolean
}

/** What stands before the columns, also in `read-files-code.ts`: how many files were taken, and whether to stop. */
const takenAt = 0
const stopAt = 1
const headBytes = 8
/** Of each file: offset and size of its range; of what was seen size, mtimeMs, inode. */
const numbersOfFile = 5
const digestBytes = 32

/** A class: what is called for each of many files is compiled once, whichever run it is of. */
export class FileRun {
  readonly #count: number
  readonly #head: Int32Array
  readonly #numbers: Float64Array
  /** The sha256 of each range, 32 bytes; of those that `isFound`. */
  readonly digests: Uint8Array
  /** 1 for each whose digest is there, by a thread or by `put`; 0 where none could read it to its range's end. */
  readonly isFound: Uint8Array
  /** Settles when no thread is at it any more. Fails where one ended. */
  readonly done: Promise<void>

  /** `ask` hands the task to the threads; `stats`: whether `seen` will be asked. */
  constructor(files: readonly FileRange[], stats: boolean, ask: (task: FileTask) => Promise<void>) {
    const count = files.length
    const digestsAt = headBytes + count * numbersOfFile * 8
    const memory = new SharedArrayBuffer(digestsAt + count * digestBytes + count)
    this.#count = count
    this.#head = new Int32Array(memory, 0, 2)
    this.#numbers = new Float64Array(memory, headBytes, count * numbersOfFile)
    this.digests = new Uint8Array(memory, digestsAt, count * digestBytes)
    this.isFound = new Uint8Array(memory, digestsAt + count * digestBytes, count)
    const paths: string[] = []
    const numbers = this.#numbers
    files.forEach((file, index) => {
      paths.push(file.path)
      numbers[index * numbersOfFile] = file.offset ?? 0
      numbers[index * numbersOfFile + 1] = file.size
    })
    this.done = ask({ paths: paths.join('\0'), memory, stats })
    // Told where it is awaited.
    this.done.catch(() => this.stop())
  }

  /** The index of a file that nobody has begun, for the caller to hash; undefined where there is none. */
  take(): number | undefined {
    if (Atomics.load(this.#head, stopAt) === 1) return undefined
    const index = Atomics.add(this.#head, takenAt, 1)
    return index < this.#count ? index : undefined
  }

  /** What the caller found of a file that it took. */
  put(index: number, digest: Uint8Array): void {
    this.digests.set(digest, index * digestBytes)
    this.isFound[index] = 1
  }

  digest(index: number): Uint8Array | undefined {
    return this.isFound[index] === 1
      ? this.digests.subarray(index * digestBytes, (index + 1) * digestBytes)
      : undefined
  }

  /** Zeros of one that no thread read. */
  seen(index: number): FileSeen {
    const at = index * numbersOfFile
    const numbers = this.#numbers
    return { size: numbers[at + 2] ?? 0, mtimeMs: numbers[at + 3] ?? 0, ino: numbers[at + 4] ?? 0 }
  }

  /** Nobody begins another file, and threads leave those that they have begun. */
  stop(): void {
    Atomics.store(this.#head, stopAt, 1)
  }
}
