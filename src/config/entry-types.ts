/** The user's words for entries (contract, section 1, Entries). The docs of these fields are the descriptions in the JSON schema. */

/** Members of arrays that are dropped, so that `condition && item` can be written. */
export type Falsy = undefined | null | false | ''
export type List<T> = readonly (T | Falsy)[]

export type EntryWords =
  | CopyEntry
  | FileEntry
  | AppendEntry
  | DirectoryEntry
  | SymlinkEntry
  | HardlinkEntry
  | RemoveEntry
  | OpaqueEntry
  | ArchiveEntry
  | DownloadEntry

export interface CopyEntry {
  /** Host paths or globs, relative to root; in a list or a glob `to` is a folder. */
  readonly copy: string | List<string>
  /** Absolute image path: a file lands at it, or in it when it ends in /; a folder's contents land in it. */
  readonly to: string
  /** Take the paths from this image in place of the host, e.g. oci:other. */
  readonly from?: string | undefined
  /** Globs of what to take, relative to the copied folder. */
  readonly include?: List<string> | undefined
  /** Globs of what to leave out, relative to the copied folder. */
  readonly exclude?: List<string> | undefined
  /** Mode of files as octal digits, or preserve for the host's. Default: 0644, or 0755 when the owner may execute. */
  readonly mode?: string | undefined
  /** Mode of directories as octal digits, or preserve. Default: 0755. */
  readonly dirMode?: string | undefined
  /** uid, uid:gid, or names of the image's /etc/passwd and /etc/group. Default: 0:0. */
  readonly owner?: string | number | undefined
  /** content (a time made of the file's digest), epoch, preserve, an RFC 3339 time or seconds. Default: content. */
  readonly mtime?: string | number | undefined
  /** The folder that `copy` is relative to, itself relative to the spec's root. Not beside `from`. */
  readonly root?: string | undefined
  /** true copies what symlinks point at. Default: false. */
  readonly follow?: boolean | undefined
  /** copy writes the host's hard links as files of their own, preserve keeps them. Default: copy. */
  readonly hardLinks?: 'copy' | 'preserve' | undefined
  /** Place this entry for these platforms only. */
  readonly platforms?: List<string> | undefined
}

export interface FileEntry {
  /** Absolute image path of the file. */
  readonly file: string
  /** What the file holds. */
  readonly content: string
  /** How `content` is written: utf8 or base64. Default: utf8. */
  readonly encoding?: 'utf8' | 'base64' | undefined
  /** true replaces ${...} variables in `content`. Default: false. */
  readonly template?: boolean | undefined
  /** Octal digits. Default: 0644. */
  readonly mode?: string | undefined
  /** uid, uid:gid, or names of the image's /etc/passwd and /etc/group. Default: 0:0. */
  readonly owner?: string | number | undefined
  /** Place this entry for these platforms only. */
  readonly platforms?: List<string> | undefined
}

export interface AppendEntry {
  /** Absolute image path of a file of the base or a lower layer; it is written again with these bytes after it. */
  readonly append: string
  /** The bytes as text; this or copy. */
  readonly content?: string | undefined
  /** One host file with the bytes, relative to root; this or content. */
  readonly copy?: string | undefined
  /** Place this entry for these platforms only. */
  readonly platforms?: List<string> | undefined
}

export interface DirectoryEntry {
  /** Absolute image path of the directory. */
  readonly directory: string
  /** Octal digits. Default: 0755. */
  readonly mode?: string | undefined
  /** uid, uid:gid, or names of the image's /etc/passwd and /etc/group. Default: 0:0. */
  readonly owner?: string | number | undefined
  /** Place this entry for these platforms only. */
  readonly platforms?: List<string> | undefined
}

export interface SymlinkEntry {
  /** Absolute image path of the link. */
  readonly symlink: string
  /** What it points at, absolute or relative to the link's folder. */
  readonly target: string
  /** uid, uid:gid, or names of the image's /etc/passwd and /etc/group. Default: 0:0. */
  readonly owner?: string | number | undefined
  /** Place this entry for these platforms only. */
  readonly platforms?: List<string> | undefined
}

export interface HardlinkEntry {
  /** Absolute image path of the link. */
  readonly hardlink: string
  /** Absolute image path of a file in the same layer. */
  readonly target: string
  /** Place this entry for these platforms only. */
  readonly platforms?: List<string> | undefined
}

export interface RemoveEntry {
  /** Absolute image path that a lower layer has. */
  readonly remove: string
  /** Place this entry for these platforms only. */
  readonly platforms?: List<string> | undefined
}

export interface OpaqueEntry {
  /** Absolute image path of a directory; all that lower layers hold in it is hidden. */
  readonly opaque: string
  /** Place this entry for these platforms only. */
  readonly platforms?: List<string> | undefined
}

export interface ArchiveEntry {
  /** Host path of a tar, tar.gz or tar.zst, relative to root. */
  readonly archive: string
  /** Absolute image path of the folder that it is unpacked in. */
  readonly to: string
  /** How many leading folders of its paths to drop. Default: 0. */
  readonly strip?: number | undefined
  /** Globs of what to take. */
  readonly include?: List<string> | undefined
  /** Globs of what to leave out. */
  readonly exclude?: List<string> | undefined
  /** uid, uid:gid, or names of the image's /etc/passwd and /etc/group. Default: the archive's. */
  readonly owner?: string | number | undefined
  /** Place this entry for these platforms only. */
  readonly platforms?: List<string> | undefined
}

export interface DownloadEntry {
  /** An http or https URL. */
  readonly download: string
  /** The sha256 of what is fetched, 64 hex digits; another is an error. */
  readonly sha256: string
  /** Absolute image path of the file, or of the folder when it ends in / or is extracted. */
  readonly to: string
  /** Octal digits. Default: 0644. */
  readonly mode?: string | undefined
  /** uid, uid:gid, or names of the image's /etc/passwd and /etc/group. Default: 0:0. */
  readonly owner?: string | number | undefined
  /** true unpacks what is fetched as an archive. Default: false. */
  readonly extract?: boolean | undefined
  /** With extract: how many leading folders of its paths to drop. Default: 0. */
  readonly strip?: number | undefined
  /** Place this entry for these platforms only. */
  readonly platforms?: List<string> | undefined
}
