/** A package's archive becomes a folder of the cache: checked by its integrity, whole or not at all. */

import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryPath } from '../../content/atomic-file.ts'
import { decompress, detectCompression } from '../../content/decompress.ts'
import { createDigester } from '../../content/hash.ts'
import type { ByteStream } from '../../content/store.ts'
import { systemErrorCode } from '../../errors.ts'
import { normalizeEntryName, unsafeEntry } from '../../rootfs/entry-name.ts'
import { readTar, type TarEntry } from '../../rootfs/tar-entries.ts'
import { packMark, packName, type PackedMember } from './packed-package.ts'

/**
 * Unpacks an archive (tar, tar.gz) whose bytes are checked into `folder`, which appears whole; where another process was
 * faster, its folder stays. `what` names the archive in errors. Throws `OCB-ARCHIVE-…` and `OCB-COMPRESSION-DAMAGED`.
 */
export async function unpackTarball(
  bytes: Uint8Array,
  folder: string,
  what: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const parent = dirname(folder)
  mkdirSync(parent, { recursive: true })
  const temporary = temporaryPath(parent)
  mkdirSync(temporary)
  try {
    await unpackInto(temporary, bytes, what, signal)
    replaceFolder(temporary, folder)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

/** What is at `folder` was found wanting before. */
function replaceFolder(temporary: string, folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  try {
    renameSync(temporary, folder)
  } catch (error) {
    // Another process was faster: it has unpacked the same bytes.
    if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(systemErrorCode(error) ?? '')) throw error
  }
}

async function unpackInto(
  folder: string,
  archive: Uint8Array,
  what: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const members: PackedMember[] = []
  const file = openSync(join(folder, packName), 'wx')
  let offset = 0
  try {
    const content = decompress(pieces(archive), detectCompression(archive))
    for await (const entry of readTar(content, { archive: what, signal })) {
      const path = pathBelow(entry, what)
      // Package managers leave out links, devices and what lies beside the package's folder.
      if (path === undefined || (entry.type !== 'file' && entry.type !== 'directory')) continue
      const { type, mode } = entry
      const { size, digest } =
        type === 'file' ? await writeAll(file, entry.content) : { size: 0, digest: undefined }
      members.push({ path, type, mode, size, digest, offset })
      offset += size
    }
    const text = Buffer.from(JSON.stringify(members))
    const length = Buffer.alloc(8)
    length.writeBigUInt64BE(BigInt(text.length))
    writeWhole(file, Buffer.concat([text, length, packMark]))
  } finally {
    closeSync(file)
  }
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

async function writeAll(file: number, content: ByteStream): Promise<Pick<PackedMember, 'size' | 'digest'>> {
  const digester = createDigester()
  let size = 0
  for await (const chunk of content) {
    digester.update(chunk)
    writeWhole(file, chunk)
    size += chunk.length
  }
  return { size, digest: digester.digest() }
}

function writeWhole(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at)
}

/** The first component is the package's folder, whatever its name (docs.npmjs.com, npm pack). */
function pathBelow({ name, utf8 }: TarEntry, what: string): string | undefined {
  if (!utf8) throw unsafeEntry(name, what, 'its name is not UTF-8')
  const parts = normalizeEntryName(name, what).split('/').slice(1)
  return parts.length === 0 ? undefined : parts.join('/')
}
