/** Several stores read as one. */

import { OciBuildError } from '../errors.ts'
import { isFileBacked } from './capabilities.ts'
import { contentNotFound } from './not-found.ts'
import type { FileBacked, Fetcher } from './store.ts'

/** Reads from the first of `fetchers` that has the content; any failure but "not found" is thrown at once. */
export function unionStore(...fetchers: readonly Fetcher[]): Fetcher & FileBacked {
  return {
    async fetch(target, options) {
      for (const fetcher of fetchers) {
        try {
          return await fetcher.fetch(target, options)
        } catch (error) {
          if (!(error instanceof OciBuildError) || error.code !== 'OCB-CONTENT-NOT-FOUND') throw error
        }
      }
      throw contentNotFound(target, 'none of the stores')
    },

    async fileOf(target) {
      for (const fetcher of fetchers) {
        const file = isFileBacked(fetcher) ? await fetcher.fileOf(target) : undefined
        if (file !== undefined) return file
      }
      return undefined
    },
  }
}
