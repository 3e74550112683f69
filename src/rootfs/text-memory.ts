/** Answers about a base, kept by the words of the question. */

export interface TextMemory {
  /** Undefined where nothing is kept; a memory that must answer throws. */
  get(question: string): string | undefined
  keep(question: string, answer: string): void
}

/** Keeps nothing. */
export const noMemory: TextMemory = { get: () => undefined, keep: () => undefined }
