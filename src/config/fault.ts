/** What is wrong with a value, and where it stands. */

export type Path = readonly (string | number)[]

export interface Fault {
  readonly path: Path
  readonly message: string
  /** The fault is the key itself, not its value. */
  readonly atKey?: boolean | undefined
  /** A word of the contract that a later release understands. */
  readonly later?: boolean | undefined
}
