/** Files of an image as bytes: passwd, CA bundles, package databases. */

import { OciBuildError } from '../errors.ts'
import type { ByteStream } from '../content/store.ts'
import { collectFiles, type Rootfs } from './collect-files.ts'
import { keepFile, readKeptFile } from './kept-files.ts'
import type { LayerReadOptions } from './open-layer.ts'
import type { ImageUsers } from './owners.ts'
import type { TreeNode } from './tree-types.ts'

export interface ReadImageFileOptions extends LayerReadOptions {
  /** More is an error. */
  readonly maxBytes: number
  /** Where files are kept by their layer's digest. Default: nothing is kept. */
  readonly cacheDir?: string | undefined
}

/** No passwd or group file of an honest image comes near. */
const maxUsersBytes = 8 * 1024 * 1024

/**
 * The bytes of a file; symlinks and hard links are followed inside the image. Throws `OCB-IMAGE-FILE-NOT-FOUND`
 * (also for what is no file), `OCB-IMAGE-FILE-TOO-LARGE`, `OCB-PATH-LOOP`, and what reading its layer throws.
 */
export async function readImageFile(
  source: Rootfs,
  path: string,
  options: ReadImageFileOptions,
): Promise<Uint8Array> {
  const [bytes] = await readImageFiles(source, [path], options)
  if (bytes) return bytes
  const node = source.tree.get(source.tree.resolve(path, { followLast: true }))
  throw new OciBuildError('OCB-IMAGE-FILE-NOT-FOUND', {
    message: `cannot read ${absolute(path)} in the image: ${node ? `it is a ${node.type}, not a file` : 'no layer has it'}`,
    hint: 'name a file that the image has',
  })
}

/** As `readImageFile` for several at once, in one pass over each layer; undefined where there is no such file. */
export async function readImageFiles(
  source: Rootfs,
  paths: readonly string[],
  options: ReadImageFileOptions,
): Promise<readonly (Uint8Array | undefined)[]> {
  const { maxBytes, cacheDir } = options
  const nodes = paths.map((path) => source.tree.get(source.tree.resolve(path, { followLast: true })))
  const known = new Map<string, Uint8Array>()
  const unknown = new Map<string, TreeNode>()
  for (const node of nodes) {
    if (!node || (node.type !== 'file' && node.type !== 'hardlink')) continue
    if (node.size > maxBytes) throw tooLarge(node.path, maxBytes)
    const bytes =
      cacheDir === undefined ? undefined : readKeptFile(cacheDir, layerOf(source, node), node.path)
    if (!bytes) unknown.set(node.path, node)
    else if (bytes.length > maxBytes) throw tooLarge(node.path, maxBytes)
    else known.set(node.path, bytes)
  }
  const read = await collectFiles(
    source,
    unknown.values(),
    (content, entry) => readAll(content, entry.path, maxBytes),
    options,
  )
  for (const [path, bytes] of read) {
    known.set(path, bytes)
    const node = unknown.get(path)
    if (node && cacheDir !== undefined) keepFile(cacheDir, layerOf(source, node), path, bytes)
  }
  return nodes.map((node) => (node ? known.get(node.path) : undefined))
}

/** The image's users and groups, for `resolveOwner`. */
export async function readImageUsers(
  source: Rootfs,
  options: Omit<ReadImageFileOptions, 'maxBytes'> = {},
): Promise<ImageUsers> {
  const paths = ['etc/passwd', 'etc/group']
  const [passwd, group] = await readImageFiles(source, paths, { ...options, maxBytes: maxUsersBytes })
  return { passwd: passwd && decode(passwd), group: group && decode(group) }
}

async function readAll(content: ByteStream, path: string, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of content) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge(path, maxBytes)
    chunks.push(chunk)
  }
  return Uint8Array.from(Buffer.concat(chunks))
}

function layerOf(source: Rootfs, node: TreeNode): string {
  return source.layers[node.layer]?.digest ?? ''
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function absolute(path: string): string {
  return `/${path.replace(/^\/+/, '')}`
}

function tooLarge(path: string, maxBytes: number): OciBuildError {
  return new OciBuildError('OCB-IMAGE-FILE-TOO-LARGE', {
    message: `cannot read ${absolute(path)} in the image: it has more than ${maxBytes} bytes`,
    hint: 'use a smaller file',
  })
}
