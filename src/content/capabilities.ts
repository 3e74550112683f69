/** What a store can do beyond the seam's core. */

import type { FileBacked, FileReceiver } from './store.ts'

export function isFileBacked(store: object): store is FileBacked {
  return 'fileOf' in store && typeof store.fileOf === 'function'
}

export function isFileReceiver(store: object): store is FileReceiver {
  return 'pushFile' in store && typeof store.pushFile === 'function'
}
