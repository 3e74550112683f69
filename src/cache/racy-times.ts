/** How long after a change a file's times do not yet tell it from the next one. */

/**
 * In milliseconds. What was written this lately could be written again without its times moving, since file systems' clocks
 * are coarse: nothing is remembered by them.
 */
export const racyMs = 2000
