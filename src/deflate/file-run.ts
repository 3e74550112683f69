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

/** The sha256 of a range, 32 bytes, and what fstat said of the file once it was read; zeros where nobody asked. */
export interface FileHash {
  readonly digest: Uint8Array
  readonly size: number
  readonly mtimeMs: number
  readonly ino: number
}

export interface FileRun {
  /** The index of a file that nobody has begun, for the caller to hash; undefined where there is none. */
  take(): number | undefined
  /** What a thread found of a file; undefined where none did, or could not read it to its range's end. */
  seen(index: number): FileHash | undefined
  /** Nobody begins another file, and threads leave those that they have begun. */
  stop(): void
  /** Settles when no thread is at it any more. Fails where one ended. */
  readonly done: Promise<void>
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

/** `ask` hands the task to the threads; `stats`: see `FileHash`. */
export function createFileRun(
  files: readonly FileRange[],
  stats: boolean,
  ask: (task: FileTask) => Promise<void>,
): FileRun {
  const count = files.length
  const digestsAt = headBytes + count * numbersOfFile * 8
  const memory = new SharedArrayBuffer(digestsAt + count * digestBytes + count)
  const head = new Int32Array(memory, 0, 2)
  const numbers = new Float64Array(memory, headBytes, count * numbersOfFile)
  const digests = new Uint8Array(memory, digestsAt, count * digestBytes)
  const isSeen = new Uint8Array(memory, digestsAt + count * digestBytes, count)
  let at = 0
  for (const { offset = 0, size } of files) {
    numbers[at] = offset
    numbers[at + 1] = size
    at += numbersOfFile
  }
  const stop = (): void => void Atomics.store(head, stopAt, 1)
  const done = ask({ paths: files.map(({ path }) => path).join('\0'), memory, stats })
  // Told where it is awaited.
  done.catch(stop)
  return {
    take() {
      if (Atomics.load(head, stopAt) === 1) return undefined
      const index = Atomics.add(head, takenAt, 1)
      return index < count ? index : undefined
    },
    seen(index) {
      if (isSeen[index] !== 1) return undefined
      const at = index * numbersOfFile
      return {
        digest: digests.subarray(index * digestBytes, (index + 1) * digestBytes),
        size: numbers[at + 2] ?? 0,
        mtimeMs: numbers[at + 3] ?? 0,
        ino: numbers[at + 4] ?? 0,
      }
    },
    stop,
    done,
  }
}
