/** What a store can do beyond the seam's core. */

import type { FileBacked, FileReceiver, Mounter } from './store.ts'

export function isFileBacked(store: object): store is FileBacked {
  return 'fileOf' in store && typeof store.fileOf === 'function'
}

export function isFileReceiver(store: object): store is FileReceiver {
  return 'pushFile' in store && typeof store.pushFile === 'function'
}

export function isMounter(store: object): store is Mounter {
  return 'mount' in store && typeof store.mount === 'function' && 'mountSources' in store
}
