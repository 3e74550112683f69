/** Appends files to a tar whose bytes go to a sink. */

import { OciBuildError } from '../errors.ts'
import { encodeHeader, endOfArchiveBytes, paddingBytes } from '../tar/tar-header.ts'
import type { ArchiveSink } from './archive-sink.ts'

export interface TarWriter {
  /** Appends a file and returns where its bytes begin. A failure takes it back, or ends the archive for good. */
  file(path: string, size: number, content: AsyncIterable<Uint8Array>): Promise<number>
  bytes(path: string, bytes: Uint8Array): Promise<void>
  end(): Promise<void>
}

/** Writes entries into a sink, each folder before what is first put into it. All times and owners are 0. */
export function tarWriter(sink: ArchiveSink): TarWriter {
  let position = 0
  let broken = false
  const folders = new Set<string>()
  const write = async (bytes: Uint8Array): Promise<void> => {
    await sink.write(bytes)
    position += bytes.length
  }
  const header = async (path: string, type: 'file' | 'directory', size: number): Promise<void> => {
    const mode = type === 'file' ? 0o644 : 0o755
    await write(encodeHeader({ path, type, mode, uid: 0, gid: 0, size, mtime: 0 }))
  }
  const file: TarWriter['file'] = async (path, size, content) => {
    if (broken) throw brokenStream(sink.name)
    const before = position
    const made: string[] = []
    try {
      for (const folder of parentsOf(path)) {
        if (folders.has(folder)) continue
        await header(folder, 'directory', 0)
        made.push(folder)
      }
      await header(path, 'file', size)
      const offset = position
      for await (const chunk of content) await write(chunk)
      await write(Buffer.alloc(paddingBytes(size)))
      for (const folder of made) folders.add(folder)
      return offset
    } catch (error) {
      if (sink.rewind(before)) position = before
      else broken = position > before
      throw error
    }
  }
  return {
    file,
    bytes: async (path, bytes) => void (await file(path, bytes.length, once(bytes))),
    async end() {
      if (broken) throw brokenStream(sink.name)
      await write(Buffer.alloc(endOfArchiveBytes))
    },
  }
}

function brokenStream(name: string): OciBuildError {
  return new OciBuildError('OCB-ARCHIVE-DAMAGED', {
    message: `${name} already holds a part of a blob that failed; the archive cannot be finished`,
    hint: 'run the build again, or write to a file',
  })
}

function parentsOf(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, position) => parts.slice(0, position + 1).join('/'))
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes
}
