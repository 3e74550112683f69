/** index.json and oci-layout: the documents of a layout (image-spec v1.1.1 image-layout.md). */

import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../content/atomic-file.ts'
import { diskError } from '../content/disk-error.ts'
import { OciBuildError, systemErrorCode } from '../errors.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { encodeJson } from '../spec/json.ts'
import { mediaTypes } from '../spec/media-type.ts'
import { parseImageIndex } from '../spec/parse-image-index.ts'
import { decodeDocument, readList, readObject, type JsonObject } from '../spec/read-value.ts'

/** index.json as it stands, to be written again with nothing lost, and its entries as read. */
export interface LayoutIndex {
  readonly document: JsonObject
  readonly rawEntries: readonly unknown[]
  readonly entries: readonly Descriptor[]
}

/** Reads index.json. Throws `OCB-LAYOUT-INVALID`, `OCB-DOCUMENT-INVALID`. */
export function readLayoutIndex(dir: string): LayoutIndex {
  const path = join(dir, 'index.json')
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw notLayout(dir, 'it has no index.json that can be read', error)
  }
  const document = readObject(decodeDocument(bytes, path), path)
  const { manifests } = parseImageIndex(document, path)
  const rawEntries = readList(document['manifests'] ?? [], path, (entry) => entry)
  return { document, rawEntries, entries: manifests }
}

/** Writes index.json atomically with these entries, and everything else as it was; not where it says that already. */
export function writeLayoutIndex(dir: string, document: JsonObject, rawEntries: readonly unknown[]): void {
  const path = join(dir, 'index.json')
  const bytes = encodeJson({
    ...document,
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: rawEntries,
  })
  try {
    if (exists(path) && readFileSync(path).equals(bytes)) return
    writeFileAtomic(path, bytes)
  } catch (error) {
    throw diskError(error, path)
  }
}

/** Whether the folder is a layout; throws `OCB-LAYOUT-INVALID` when it is one of a version that we do not know. */
export function isLayout(dir: string): boolean {
  const path = join(dir, 'oci-layout')
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return false
    throw notLayout(dir, 'its oci-layout file cannot be read', error)
  }
  checkLayoutFile(bytes, dir)
  return true
}

/** Checks the bytes of an `oci-layout` file. Throws `OCB-LAYOUT-INVALID`. */
export function checkLayoutFile(bytes: Uint8Array, where: string): void {
  const version = readObject(decodeDocument(bytes, `${where}/oci-layout`), `${where}/oci-layout`)[
    'imageLayoutVersion'
  ]
  if (typeof version === 'string' && version.startsWith('1.')) return
  throw notLayout(where, `its imageLayoutVersion is ${JSON.stringify(version)}, wanted "1.0.0"`)
}

/**
 * Makes the folder a layout without images. Only an empty one is taken (hidden files aside), so that a slip of the
 * pen does not fill a project's folder with blobs. Must run under the layout's lock.
 */
export function initLayout(dir: string): void {
  const strangers = readdirSync(dir).filter(
    (name) => !name.startsWith('.') && name !== 'blobs' && name !== 'index.json',
  )
  if (strangers.length > 0) {
    throw new OciBuildError('OCB-LAYOUT-OCCUPIED', {
      message: `${dir} is no image layout and holds other files (${strangers.slice(0, 3).join(', ')}${strangers.length > 3 ? ', …' : ''})`,
      hint: 'name a new or an empty folder as the output',
    })
  }
  try {
    mkdirSync(join(dir, 'blobs', 'sha256'), { recursive: true, mode: 0o755 })
    if (!exists(join(dir, 'index.json'))) writeLayoutIndex(dir, {}, [])
    // Last: a layout counts as one from here on.
    writeFileAtomic(join(dir, 'oci-layout'), encodeJson({ imageLayoutVersion: '1.0.0' }))
  } catch (error) {
    throw diskError(error, dir)
  }
}

export function notLayout(dir: string, why: string, cause?: unknown): OciBuildError {
  return new OciBuildError('OCB-LAYOUT-INVALID', {
    message: `${dir} is no image layout: ${why}`,
    hint: 'name a folder that holds oci-layout, index.json and blobs',
    cause,
  })
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
