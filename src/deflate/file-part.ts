/** Parts of files that a thread reads into a block: in columns, since a layer has tens of thousands. */

export interface FileParts {
  /** Absolute. */
  readonly paths: readonly string[]
  /** Three for each: where its bytes go in the buffer, where they begin in the file, how many they are. */
  readonly ranges: Float64Array
}

/** What fstat said of the files once they were read, three numbers for each: size, mtimeMs, inode; NaN of one that ended early or cannot be read. */
export type PartStats = Float64Array

/** Numbers for each part in both. */
export const partNumbers = 3
