/** The user's words: what a config file exports. The docs of these fields are the descriptions in the JSON schema. */

import type { GitInfo } from './resolved-spec.ts'

/** Members of arrays that are dropped, so that `condition && item` can be written. */
export type Falsy = undefined | null | false | ''
export type List<T> = readonly (T | Falsy)[]

/** What a config file may export: one image, or several. */
export type SpecFile = BuildSpec | MultiSpec

/** A config file's default export: a spec, or a function that makes one. */
export type SpecExport = SpecFile | ((context: ConfigContext) => SpecFile | Promise<SpecFile>)

/** What a function spec is called with. */
export interface ConfigContext {
  readonly env: Readonly<Record<string, string | undefined>>
  /** From `--arg k=v`. */
  readonly args: Readonly<Record<string, string>>
  readonly git: Omit<GitInfo, 'commitSeconds' | 'origin'>
  /** The package.json beside the config file; empty where there is none. */
  readonly packageJson: PackageJson
}

export interface PackageJson {
  readonly name?: string | undefined
  readonly version?: string | undefined
  readonly description?: string | undefined
  readonly license?: string | undefined
  readonly homepage?: string | undefined
  readonly [key: string]: unknown
}

/** One image. */
export interface BuildSpec {
  /** Repository without tag, e.g. registry.example.com/team/app. Default: the package's name without scope, lowered. A push needs a registry host in it. */
  readonly name?: string | undefined
  /** Tags of the image. Default: ["latest"]. */
  readonly tags?: List<string> | undefined
  /** What the image is built on: scratch, host:node, a registry's node:22-slim, oci:DIR, oci-archive:FILE, docker-archive:FILE. Default: scratch. */
  readonly base?: string | undefined
  /** Platforms to build for, as os/architecture[/variant]. Default: linux and the host's architecture. */
  readonly platforms?: List<string> | undefined
  /** The folder that host paths are relative to, itself relative to the config file's folder. Default: the config file's folder. */
  readonly root?: string | undefined
  /** Host commands, run in order before files are read; the first failure stops the build. Not run by plan. */
  readonly prepare?: List<string> | undefined
  /** Layers, the first is the lowest. A bare entry is a layer of its own, named by its path. In TypeScript and JavaScript also a function of { platform }. */
  readonly layers?: Layers | undefined
  /** The image config; what is not set is inherited from the base. */
  readonly config?: ConfigWords | null | undefined
  /** Annotations on every manifest and on the index; null leaves out one that metadata would add. */
  readonly annotations?: Readonly<Record<string, string | null>> | null | undefined
  /** Which org.opencontainers.image.* annotations and labels are added: auto from package.json and git, package from package.json only, or none. Default: auto. */
  readonly metadata?: 'auto' | 'package' | 'none' | undefined
  /** Creation time: git (committer time of HEAD), epoch, an RFC 3339 time or seconds since the epoch. SOURCE_DATE_EPOCH always wins. Default: git. */
  readonly created?: string | number | undefined
  /** Compression of the layers: gzip (level 5 unless set), zstd (3), none, TYPE:LEVEL or { type, level }. A layer may override it. Default: gzip. */
  readonly compression?: CompressionWords | undefined
  /** true writes an image index even for one platform. Default: false. */
  readonly index?: boolean | undefined
  /** How bytes are laid out; a newer ocibuild keeps writing an older format when asked. Default: 1. */
  readonly formatVersion?: 1 | undefined
  /** Settings of registries by host. */
  readonly registries?: Readonly<Record<string, RegistryWords>> | null | undefined
  /** Where the image is written: oci:DIR, oci-archive:FILE, docker-archive:FILE, registry (name and tags of this spec), docker://HOST/NAME. Default: oci:.ocibuild/image. */
  readonly outputs?: List<string> | undefined
  /** Adds what a Node.js project wants. Comes in a later release. */
  readonly node?: true | NodeWords | undefined
  readonly [extension: `x-${string}`]: unknown
}

/** Several images. Objects merge by key over `defaults`, arrays and scalars replace, null resets. */
export interface MultiSpec {
  /** Host commands, run once before any image's own. */
  readonly prepare?: List<string> | undefined
  /** What every image starts from. */
  readonly defaults?: BuildSpec | undefined
  /** The images by name. */
  readonly images: Readonly<Record<string, ImageWords>>
  /** Settings of registries by host. */
  readonly registries?: Readonly<Record<string, RegistryWords>> | null | undefined
  readonly [extension: `x-${string}`]: unknown
}

/** An image of several: null resets what `defaults` say. */
export type ImageWords = { readonly [Key in keyof BuildSpec]: BuildSpec[Key] | null }

export type LayerList = List<LayerWords | EntryWords>
export type Layers = LayerList | ((context: LayerContext) => LayerList | Promise<LayerList>)

/** What a layers function is called with. */
export interface LayerContext {
  readonly platform: {
    readonly os: string
    readonly architecture: string
    readonly variant?: string | undefined
  }
}

export interface LayerWords {
  /** What the layer holds. */
  readonly entries: List<EntryWords>
  /** Shown in plans, results and the image's history. */
  readonly name?: string | undefined
  /** Compression of this layer; default: the spec's. */
  readonly compression?: CompressionWords | undefined
  /** Build this layer for these platforms only. */
  readonly platforms?: List<string> | undefined
}

export type CompressionWords = string | CompressionObject

export interface CompressionObject {
  /** The encoder. */
  readonly type: 'gzip' | 'zstd' | 'none'
  /** gzip: 1 to 9, default 5. zstd: 1 to 19, default 3. */
  readonly level?: number | undefined
}

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
  /** The folder that `copy` is relative to, itself relative to the spec's root. */
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

export interface ConfigWords {
  /** The command line's fixed part. Setting it drops the base's cmd; [] or null clears. */
  readonly entrypoint?: List<string> | null | undefined
  /** The command, or the arguments of the entrypoint; [] or null clears. */
  readonly cmd?: List<string> | null | undefined
  /** Environment variables: a value, { prepend, append } around the base's value, or null to remove. */
  readonly env?: Readonly<Record<string, string | EnvEdit | null>> | null | undefined
  /** The working directory, absolute; null or an empty string clears. */
  readonly workingDir?: string | null | undefined
  /** The user that runs the command: uid, uid:gid or names; null or an empty string clears. */
  readonly user?: string | number | null | undefined
  /** Ports: 3000, or 53/udp; [] or null clears. */
  readonly exposedPorts?: List<number | string> | null | undefined
  /** Absolute paths of volumes; [] or null clears. */
  readonly volumes?: List<string> | null | undefined
  /** Labels; null as a value removes the base's, null in place of all clears. */
  readonly labels?: Readonly<Record<string, string | null>> | null | undefined
  /** The signal that stops the container, e.g. SIGTERM; null or an empty string clears. */
  readonly stopSignal?: string | null | undefined
  /** How an engine finds out whether the container is healthy; null clears. */
  readonly healthcheck?: HealthcheckWords | null | undefined
  /** Who made the image; null or an empty string clears. */
  readonly author?: string | null | undefined
}

export interface EnvEdit {
  /** Put before the base's value. */
  readonly prepend?: string | undefined
  /** Put after the base's value. */
  readonly append?: string | undefined
}

export interface HealthcheckWords {
  /** CMD and arguments, CMD-SHELL and a command, or NONE. */
  readonly test: List<string>
  /** Time between checks, e.g. 30s or 1m30s. */
  readonly interval?: string | undefined
  /** How long one check may take. */
  readonly timeout?: string | undefined
  /** How long the container may take to start. */
  readonly startPeriod?: string | undefined
  /** Time between checks while it starts. */
  readonly startInterval?: string | undefined
  /** How many failures in a row make it unhealthy. */
  readonly retries?: number | undefined
}

export interface RegistryWords {
  /** HOST/PATH prefixes that are asked first. */
  readonly mirrors?: List<string> | undefined
  /** A PEM file of certificates to trust. */
  readonly ca?: string | undefined
  /** A PEM file with the client's certificate. */
  readonly clientCert?: string | undefined
  /** A PEM file with the client's key. */
  readonly clientKey?: string | undefined
  /** true allows plain HTTP and certificates that cannot be checked. Default: false. */
  readonly insecure?: boolean | undefined
}

export interface NodeWords {
  /** A workspace's name or folder. */
  readonly package?: string | undefined
  /** The file to run. */
  readonly entry?: string | undefined
  /** Take dependencies as installed, or as the lockfile says. */
  readonly dependencies?: 'installed' | 'lockfile' | undefined
  /** Globs of what to take. */
  readonly include?: List<string> | undefined
  /** Globs of what to leave out. */
  readonly exclude?: List<string> | undefined
  /** Paths that look secret but may ship. */
  readonly allow?: List<string> | undefined
  /** Paths that the user may write. */
  readonly writable?: List<string> | undefined
  /** Where the app lies in the image. */
  readonly workingDir?: string | undefined
  /** true adds a PID 1 that forwards signals and exits on them. */
  readonly init?: boolean | undefined
}
