/** How long each image of a build took: its plan, its layers and its outputs come in turns with those of others. */

export interface TimeSpent {
  /** Runs `work` and counts its time for `image`, whatever that is. */
  on<T>(image: object, work: () => Promise<T>): Promise<T>
  /** Whole milliseconds. */
  of(image: object): number
}

/** `now` is a monotonic clock in milliseconds. */
export function createTimeSpent(now: () => number): TimeSpent {
  const spentMs = new Map<object, number>()
  return {
    async on(image, work) {
      const startedMs = now()
      try {
        return await work()
      } finally {
        spentMs.set(image, (spentMs.get(image) ?? 0) + now() - startedMs)
      }
    },
    of: (image) => Math.round(spentMs.get(image) ?? 0),
  }
}
