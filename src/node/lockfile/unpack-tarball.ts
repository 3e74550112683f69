/** A package's archive becomes a folder of the cache: checked by its integrity, whole or not at all. */

import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { temporaryPath } from '../../content/atomic-file.ts'
import { decompress, detectCompression } from '../../content/decompress.ts'
import { createDigester } from '../../content/hash.ts'
import type { ByteStream } from '../../content/store.ts'
import { systemErrorCode } from '../../errors.ts'
import { normalizeEntryName, unsafeEntry } from '../../rootfs/entry-name.ts'
import { peek } from '../../rootfs/open-layer.ts'
import { readTar, type TarEntry } from '../../rootfs/tar-entries.ts'
import { packMark, smallFiles, type PackedMember } from './packed-package.ts'

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
  const small = openSync(join(folder, smallFiles), 'wx')
  let offset = 0
  let own = 0
  try {
    const content = decompress(pieces(archive), detectCompression(archive))
    for await (const entry of readTar(content, { archive: what, signal })) {
      const path = pathBelow(entry, what)
      // Package managers leave out links, devices and what lies beside the package's folder.
      if (path === undefined || (entry.type !== 'file' && entry.type !== 'directory')) continue
      const common = { path, type: entry.type, mode: entry.mode }
      if (entry.type === 'directory') {
        members.push({ ...common, size: 0, digest: undefined, offset: undefined, file: undefined })
        continue
      }
      const { head: first, all: bytes } = await peek(entry.content, 4)
      const native = isNative(first)
      if (native) own += 1
      const file = native ? openSync(join(folder, String(own)), 'wx') : small
      try {
        const { size, digest } = await writeAll(file, bytes)
        const place = native ? { offset: undefined, file: String(own) } : { offset, file: undefined }
        members.push({ ...common, size, digest, ...place })
        if (!native) offset += size
      } finally {
        if (native) closeSync(file)
      }
    }
    const text = Buffer.from(JSON.stringify(members))
    const length = Buffer.alloc(8)
    length.writeBigUInt64BE(BigInt(text.length))
    writeWhole(small, Buffer.concat([text, length, packMark]))
  } finally {
    closeSync(small)
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

/** ELF, Mach-O and PE: what has a header to be read by is a file of its own. */
function isNative(head: Uint8Array): boolean {
  if (head[0] === 0x4d && head[1] === 0x5a) return true
  if (head.length < 4) return false
  const magic = Buffer.from(head.buffer, head.byteOffset, 4).readUInt32BE(0)
  return [0x7f454c46, 0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe, 0xcafebabe].includes(magic)
}
