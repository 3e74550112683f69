/** The one error class of the house, and what its codes mean to a process. */

/** A stable code: `OCB-` and words, e.g. `OCB-COPY-NO-MATCH`. Codes are never renamed. */
export type ErrorCode = `OCB-${string}`

/** One fault of many that were found in the same input. */
export interface Problem {
  /** Where in the spec, e.g. `layers[1].entries[0].exclude`; `''` is the whole document. */
  readonly path: string
  /** What was found and what is wanted. */
  readonly message: string
  readonly file?: string | undefined
  /** 1-based. */
  readonly line?: number | undefined
  /** 1-based. */
  readonly column?: number | undefined
}

export interface OciBuildErrorOptions {
  /** What was tried, on which thing, seen versus wanted. */
  readonly message: string
  /** One imperative step in the words of the user's config. */
  readonly hint?: string | undefined
  readonly problems?: readonly Problem[] | undefined
  readonly cause?: unknown
}

/**
 * Everything that the library throws on purpose. Codes that begin with `OCB-SPEC-` or `OCB-USAGE-` blame the
 * words of the user (exit status 2), `OCB-REGISTRY-` and `OCB-NETWORK-` the other side (3),
 * `OCB-INTERRUPTED` is an abort (130); all others are a failed build or check (1).
 */
export class OciBuildError extends Error {
  override readonly name = 'OciBuildError'
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly problems: readonly Problem[]

  constructor(code: ErrorCode, options: OciBuildErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.problems = options.problems ?? []
  }
}

/**
 * The same error, its message beginning with what it is about. An error that names it already, an abort and what is
 * no error of ours come back as they are.
 */
export function errorAbout(what: string, error: unknown): unknown {
  if (!(error instanceof OciBuildError) || error.code === 'OCB-INTERRUPTED') return error
  if (error.message.includes(what)) return error
  const { code, message, hint, problems } = error
  return new OciBuildError(code, { message: `${what}: ${message}`, hint, problems, cause: error })
}

/** Throws `OCB-INTERRUPTED` when the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new OciBuildError('OCB-INTERRUPTED', { message: 'the build was interrupted', cause: signal.reason })
  }
}

const systemHints: Readonly<Record<string, string>> = {
  EACCES: 'check who may read and write it, and run again',
  EPERM: 'check who may read and write it, and run again',
  EROFS: 'write to a disk that is not read-only',
  ENOSPC: 'free some space, or write to another disk',
  EDQUOT: 'free some space, or write to another disk',
  EMFILE: 'allow more open files (ulimit -n), and run again',
  ENFILE: 'close programs that hold files open, and run again',
  ENOTDIR: 'check the path: what stands before the last name is a file',
  ENOMEM: 'give it more memory, and run again',
}

/**
 * A caught value as what the library throws: itself, `OCB-INTERRUPTED` after an abort, `OCB-SYSTEM` for what the
 * system refused (a disk, a permission), `OCB-UNEXPECTED` for what nobody threw on purpose.
 */
export function asBuildError(error: unknown, signal?: AbortSignal): OciBuildError {
  if (error instanceof OciBuildError) return error
  if (signal?.aborted === true) {
    return new OciBuildError('OCB-INTERRUPTED', { message: 'the build was interrupted', cause: error })
  }
  const code = systemErrorCode(error)
  const message = messageOf(error)
  if (code === undefined || !(error instanceof Error) || !('syscall' in error)) {
    return new OciBuildError('OCB-UNEXPECTED', { message, cause: error })
  }
  const hint = systemHints[code] ?? 'check that path and the disk it is on, and run again'
  return new OciBuildError('OCB-SYSTEM', { message, hint, cause: error })
}

/** Node's system error code (`ENOENT`, …) of a caught value, if it has one. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** The message of a caught value, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
