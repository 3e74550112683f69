/** What a command gets to speak with the process: two streams, the environment, an abort signal, an exit status. */

import type { Environment } from '../environment.ts'

export interface CliContext {
  /** Results. Writes the text and adds nothing: end lines yourself. */
  stdout(text: string): void
  /** All that is not a result. Adds nothing. */
  stderr(text: string): void
  /** Its `cwd` is what `-C` names: resolve paths that the user typed against it. Read it in actions, not before. */
  readonly environment: Environment
  /** `-v`. */
  readonly verbose: boolean
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal
  /** What the process will end with, unless an error is thrown; default 0. */
  setExitStatus(code: number): void
  /** Whether stderr is a terminal. */
  readonly isTty: boolean
  /** Whether stderr takes colours (NO_COLOR and FORCE_COLOR are looked at already). */
  readonly colors: boolean
  /** The same of stdout. */
  readonly stdoutColors: boolean
  /** What a person or a pipe says; only `login` listens. */
  readonly stdin?: NodeJS.ReadableStream | undefined
  /** Where an archive's bytes go when an output is `-`. */
  readonly rawStdout: NodeJS.WritableStream
}
