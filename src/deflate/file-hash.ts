/** What the threads are asked of files, and answer. */

/** A part of a file, or all of it. */
export interface FileRange {
  /** Absolute. */
  readonly path: string
  /** In bytes. */
  readonly start: number
  readonly length: number
}

/** The sha256 of a range in hex, and what fstat said of the file once it was read. */
export interface FileHash {
  readonly sha256: string
  readonly size: number
  readonly mtimeMs: number
  readonly ino: number
}

/** Undefined stands for a file that cannot be read, or that ends before its range does. */
export function isFileHashes(value: unknown): value is readonly (FileHash | undefined)[] {
  return Array.isArray(value) && value.every((item: unknown) => item === undefined || isFileHash(item))
}

function isFileHash(value: unknown): value is FileHash {
  if (typeof value !== 'object' || value === null) return false
  const isNumber = (name: string): boolean => typeof Reflect.get(value, name) === 'number'
  return (
    'sha256' in value &&
    typeof value.sha256 === 'string' &&
    isNumber('size') &&
    isNumber('mtimeMs') &&
    isNumber('ino')
  )
}
