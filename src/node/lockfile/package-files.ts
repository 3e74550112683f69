/** A package's files as npm and pnpm write them: modes, names, commands. */

import { posix } from 'node:path'
import type { FileSource } from '../../rootfs/file-source.ts'
import type { PackedMember, PackedPackage } from './packed-package.ts'

export interface PackageFile {
  /** Below the package's folder, with `/`. */
  readonly path: string
  readonly type: 'file' | 'directory'
  readonly executable: boolean
  readonly source: FileSource | undefined
}

export interface PackageFilesOptions {
  /** The folder in the archive: '' but for bundled packages. */
  readonly inside: string
  /** npm takes a .gitignore for an .npmignore, and looks at the owner's executable bit alone; pnpm does not. */
  readonly asNpm: boolean
  /** Below the package: files that commands are linked to. */
  readonly commands: ReadonlySet<string>
}

/** The files of a package without packages in it; of names that come again the last. */
export function packageFiles(packed: PackedPackage, options: PackageFilesOptions): readonly PackageFile[] {
  const { inside, asNpm, commands } = options
  const executable = asNpm ? 0o100 : 0o111
  const prefix = inside === '' ? '' : `${inside}/`
  const ignores = new Set<string>()
  const found = new Map<string, PackedMember>()
  for (const member of packed.members) {
    let { path } = member
    if (member.type === 'file' && asNpm) {
      const base = posix.basename(path)
      if (base === '.npmignore') ignores.add(path)
      if (base === '.gitignore') {
        path = path.slice(0, -base.length) + '.npmignore'
        if (ignores.has(path)) continue
      }
    }
    if (!path.startsWith(prefix)) continue
    path = path.slice(prefix.length)
    if (path === 'node_modules' || path.startsWith('node_modules/')) continue
    found.delete(path)
    found.set(path, member)
  }
  return Array.from(found, ([path, member]): PackageFile => {
    if (member.type === 'directory') return { path, type: 'directory', executable: false, source: undefined }
    const isCommand = commands.has(path)
    const source = isCommand ? commandSource(packed, member) : packed.sourceOf(member)
    return { path, type: 'file', executable: isCommand || (member.mode & executable) !== 0, source }
  })
}

/** Package managers end the first line of a command as Unix does: `#!…\r\n` would name no program. */
function commandSource(packed: PackedPackage, member: PackedMember): FileSource {
  const source = packed.sourceOf(member)
  const bytes = packed.read(member)
  if (bytes[0] !== 0x23 || bytes[1] !== 0x21) return source
  const head = bytes.subarray(0, 2048).toString('latin1')
  const line = /^#![^\n]+\r\n/.exec(head)?.[0]
  if (line === undefined) return source
  const end = line.length - 2
  return { kind: 'bytes', bytes: Buffer.concat([bytes.subarray(0, end), bytes.subarray(end + 1)]) }
}
