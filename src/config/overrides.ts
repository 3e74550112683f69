/** What a command line puts over a spec (contract, section 4); everything as the user typed it. */

export interface SpecOverrides {
  /** With a `/` or `:` a whole reference, else a tag. Replaces the spec's tags (and name, where a whole reference). */
  readonly tags?: readonly string[] | undefined
  readonly platforms?: readonly string[] | undefined
  readonly base?: string | undefined
  /** `TYPE[:LEVEL]`, or two with a comma between. */
  readonly compression?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
  /** Replaces the spec's outputs. */
  readonly outputs?: readonly string[] | undefined
  /** Adds the output `registry`, and replaces the spec's outputs. */
  readonly push?: boolean | undefined
}
