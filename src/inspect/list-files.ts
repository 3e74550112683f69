/** The names in an image: merged as a container sees them, or one layer's entries as they stand. */

import type { Fetcher } from '../content/store.ts'
import { OciBuildError } from '../errors.ts'
import { readLayerNames, type LayerNamesOptions } from '../rootfs/layer-names.ts'
import { openRootfs } from '../rootfs/open-rootfs.ts'
import type { LayerEntry, LayerEntryType, Tree, TreeNode } from '../rootfs/tree-types.ts'
import { readDocument } from '../content/read-document.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import { compareBytes } from '../spec/json.ts'
import { parseImageConfig } from '../spec/parse-image-config.ts'
import { formatPlatform, type Platform } from '../spec/platform.ts'
import { findManifests, selectManifest, type FoundManifest } from './find-manifests.ts'

export interface ListOptions extends LayerNamesOptions {
  /** Default: the only image's, else `preferred`. */
  readonly platform?: Platform | undefined
  /** Taken when several platforms are there and none was named, e.g. the host's. */
  readonly preferred?: Platform | undefined
  /** A position (0 is the lowest), a digest or a diffID: that layer's entries, also whiteouts. Default: all, merged. */
  readonly layer?: number | Digest | undefined
  /** Image path: only it and what is below it. Links on the way are followed in a merged list. */
  readonly path?: string | undefined
}

export interface FileDescription {
  /** Absolute image path; `/` is the root. */
  readonly path: string
  readonly type: LayerEntryType
  /** Octal digits, at least four: `0755`. */
  readonly mode: string
  readonly uid: number
  readonly gid: number
  /** Bytes, of regular files; else 0. */
  readonly size: number
  /** Seconds since the epoch. */
  readonly mtime: number
  /** A symlink's target as it stands, a hard link's absolute image path; null for all else. */
  readonly target: string | null
  /** Position of the layer that holds it. */
  readonly layer: number
}

export interface FileList {
  readonly schemaVersion: 1
  readonly platform: string
  /** Of the manifest. */
  readonly digest: Digest
  /** Merged: by path, parents first. Of one layer: in its own order. */
  readonly entries: readonly FileDescription[]
}

/**
 * Lists names; no file's bytes are kept. Throws `OCB-USAGE-PLATFORM`, `OCB-USAGE-LAYER`, `OCB-USAGE-PATH` when the path
 * is not there, and what reading throws.
 */
export async function listFiles(
  store: Fetcher,
  root: Descriptor,
  options: ListOptions = {},
): Promise<FileList> {
  const found = await findManifests(store, root, options)
  const image = selectManifest(found, options.platform, options.preferred)
  const path = options.path === undefined ? '' : imagePath(options.path)
  const entries =
    options.layer === undefined
      ? await listTree(store, image, path, options)
      : await listLayer(store, image, options.layer, path, options)
  if (entries.length === 0 && path !== '') throw noSuchPath(path, options.layer)
  return {
    schemaVersion: 1,
    platform: image.platform ? formatPlatform(image.platform) : '',
    digest: image.descriptor.digest,
    entries,
  }
}

async function listTree(
  store: Fetcher,
  { manifest }: FoundManifest,
  path: string,
  options: ListOptions,
): Promise<readonly FileDescription[]> {
  const { tree } = await openRootfs(store, manifest.layers, options)
  const start = tree.resolve(path, { followLast: true })
  // A link that leads nowhere is still a name.
  const at = tree.has(start) || start === '' ? start : tree.resolve(path)
  return [...walk(tree, at)].map((node) => describeEntry(node, node.layer))
}

function* walk(tree: Tree, path: string): Generator<TreeNode> {
  const node = tree.get(path)
  if (node) yield node
  for (const name of [...tree.childNames(path)].toSorted(compareBytes)) {
    yield* walk(tree, path === '' ? name : `${path}/${name}`)
  }
}

async function listLayer(
  store: Fetcher,
  image: FoundManifest,
  wanted: number | Digest,
  path: string,
  options: ListOptions,
): Promise<readonly FileDescription[]> {
  const { layers, config } = image.manifest
  let position = typeof wanted === 'number' ? wanted : layers.findIndex(({ digest }) => digest === wanted)
  if (position === -1 && typeof wanted === 'string') {
    position = parseImageConfig(await readDocument(store, config, options)).rootfs.diff_ids.indexOf(wanted)
  }
  const layer = layers[position]
  if (layer === undefined) {
    throw new OciBuildError('OCB-USAGE-LAYER', {
      message: `the image has no layer ${wanted}; it has ${layers.length}, numbered from 0`,
      hint: 'ocibuild inspect lists them, lowest first',
    })
  }
  const entries = await readLayerNames(store, layer, options)
  return entries.filter((entry) => isBelow(entry.path, path)).map((entry) => describeEntry(entry, position))
}

function isBelow(path: string, parent: string): boolean {
  return parent === '' || path === parent || path.startsWith(`${parent}/`)
}

function describeEntry(entry: LayerEntry, layer: number): FileDescription {
  const { path, type, mode, uid, gid, size, mtime, target } = entry
  return {
    path: `/${path}`,
    type,
    mode: mode.toString(8).padStart(4, '0'),
    uid,
    gid,
    size,
    mtime,
    target: target === undefined ? null : type === 'hardlink' ? `/${target}` : target,
    layer,
  }
}

/** As `LayerEntry` has it: relative, without `.` and empty parts. */
function imagePath(text: string): string {
  const parts: string[] = []
  for (const part of text.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

function noSuchPath(path: string, layer: number | Digest | undefined): OciBuildError {
  return new OciBuildError('OCB-USAGE-PATH', {
    message: `/${path} is not in ${layer === undefined ? 'the image' : `layer ${layer}`}`,
    hint: 'leave the path out to list all there is',
  })
}
