/** What the rest of the house reads: the user's words, checked, interpolated, with every default filled in. */

import type { Platform } from '../spec/platform.ts'
import type { Reference } from '../spec/reference.ts'
import type { BuildSpec, PackageJson } from './spec-types.ts'
import type { HealthcheckConfig } from '../spec/image-config.ts'

export type Compression = GzipCompression | ZstdCompression | { readonly type: 'none' }

export interface GzipCompression {
  readonly type: 'gzip'
  /** 1 to 9. */
  readonly level: number
  /** What the same layers are compressed with a second time, for an image of their own in the index. */
  readonly twin?: ZstdCompression | undefined
}

export interface ZstdCompression {
  readonly type: 'zstd'
  /** 1 to 19. */
  readonly level: number
}

/** Modes as numbers (0 to 0o7777); `preserve` keeps the host's. */
export type ModeSpec = number | 'preserve'

/** Seconds since the Unix epoch, or how to find them. */
export type MtimeSpec = number | 'content' | 'epoch' | 'preserve'

/** `uid`, `uid:gid`, or names, as the user wrote them; names are looked up in the image. */
export type OwnerSpec = string

interface EntryBase {
  /** Where it stands in the spec: `layers[1].entries[0]`. */
  readonly at: string
}

export type EntrySpec = EntryBase &
  (
    | {
        readonly verb: 'copy'
        /** Paths or globs, relative to `root` (or image paths when `from` is set). */
        readonly copy: readonly string[]
        /** Whether the user wrote a list. */
        readonly list: boolean
        /** Image path as written; a trailing `/` means "into". */
        readonly to: string
        readonly from?: Reference | undefined
        readonly include: readonly string[] | undefined
        readonly exclude: readonly string[]
        readonly mode: ModeSpec | undefined
        readonly dirMode: ModeSpec | undefined
        readonly owner: OwnerSpec | undefined
        readonly mtime: MtimeSpec
        /** Absolute host folder; the entry's own `root`, else the spec's. */
        readonly root: string
        readonly follow: boolean
        readonly hardLinks: 'copy' | 'preserve'
      }
    | {
        readonly verb: 'file'
        readonly file: string
        readonly content: Uint8Array
        readonly mode: number | undefined
        readonly owner: OwnerSpec | undefined
      }
    | {
        readonly verb: 'append'
        readonly append: string
        /** Exactly one of `content` and `copy`; `copy` is one host file relative to `root`. */
        readonly content: Uint8Array | undefined
        readonly copy: string | undefined
        readonly root: string
      }
    | {
        readonly verb: 'directory'
        readonly directory: string
        readonly mode: number | undefined
        readonly owner: OwnerSpec | undefined
      }
    | {
        readonly verb: 'symlink'
        readonly symlink: string
        readonly target: string
        readonly owner: OwnerSpec | undefined
      }
    | { readonly verb: 'hardlink'; readonly hardlink: string; readonly target: string }
    | { readonly verb: 'remove'; readonly remove: string }
    | { readonly verb: 'opaque'; readonly opaque: string }
    | {
        readonly verb: 'archive'
        /** Host path of a tar, tar.gz or tar.zst, relative to `root`. */
        readonly archive: string
        readonly to: string
        readonly strip: number
        readonly include: readonly string[] | undefined
        readonly exclude: readonly string[]
        readonly owner: OwnerSpec | undefined
        readonly root: string
      }
    | {
        readonly verb: 'download'
        readonly download: string
        /** 64 hex digits. */
        readonly sha256: string
        readonly to: string
        readonly mode: number | undefined
        readonly owner: OwnerSpec | undefined
        readonly extract: boolean
        readonly strip: number
      }
  )

export type EntryOf<Verb extends EntrySpec['verb']> = Extract<EntrySpec, { readonly verb: Verb }>

export interface LayerSpec {
  readonly at: string
  readonly name: string
  readonly entries: readonly EntrySpec[]
  readonly compression: Compression
}

/** `env` in the user's order: a value, an edit of the base's value, or null to remove. */
export type EnvSpec = Readonly<
  Record<
    string,
    string | { readonly prepend?: string | undefined; readonly append?: string | undefined } | null
  >
>

/** The image config as words; undefined: inherit. `null`, `[]` and `''` clear. */
export interface ConfigSpec {
  readonly entrypoint?: readonly string[] | null | undefined
  readonly cmd?: readonly string[] | null | undefined
  /** null clears all that the base has. */
  readonly env?: EnvSpec | null | undefined
  readonly workingDir?: string | null | undefined
  readonly user?: string | null | undefined
  /** `3000/tcp`; [] or null clears the base's. */
  readonly exposedPorts?: readonly string[] | null | undefined
  readonly volumes?: readonly string[] | null | undefined
  /** null as a value removes the base's label. */
  readonly labels?: Readonly<Record<string, string | null>> | null | undefined
  readonly stopSignal?: string | null | undefined
  readonly healthcheck?: HealthcheckConfig | null | undefined
  readonly author?: string | null | undefined
}

/** What a folder's git says; every field undefined where there is none. Taken before `prepare`. */
export interface GitInfo {
  readonly commit?: string | undefined
  readonly shortCommit?: string | undefined
  readonly branch?: string | undefined
  readonly branchSlug?: string | undefined
  readonly tag?: string | undefined
  readonly version?: string | undefined
  readonly dirty?: boolean | undefined
  /** Committer time of HEAD, seconds. */
  readonly commitSeconds?: number | undefined
  /** Origin as https, without user info. */
  readonly origin?: string | undefined
}

/** What the spec says of the Node.js project that the image is made of; `node: true` is all defaults. */
export interface NodeSpec {
  /** A workspace package's name or folder; undefined: the root of the spec. */
  readonly package: string | undefined
  /** The file to run, relative to the package. */
  readonly entry: string | undefined
  /** As they lie in node_modules (default), or as the lockfile names them. */
  readonly dependencies?: 'installed' | 'lockfile' | undefined
  /** Globs relative to the package, in place of the `files` of its package.json. */
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  /** Globs of files that may ship though they look like secrets, or do not load in the base. */
  readonly allow: readonly string[]
  /** Absolute image paths. */
  readonly writable: readonly string[]
  /** Absolute image path of the project's root. */
  readonly workingDir: string
  readonly init: boolean
}

/** One image to build. */
export interface ImageSpec {
  /** Its key in `images`; undefined in a spec of one image. */
  readonly image: string | undefined
  /** Repository without tag, with a host where the user wrote one. */
  readonly name: string
  readonly tags: readonly string[]
  /** A relative path is relative to `root`. */
  readonly base: Reference
  /** As the user wrote it, for messages. */
  readonly baseText: string
  /** True when nobody named a base: a Node.js project then chooses one. */
  readonly baseDefaulted: boolean
  /** Undefined for an image of layers alone. */
  readonly node: NodeSpec | undefined
  readonly platforms: readonly Platform[]
  /** True when nobody named platforms and the host's was taken. */
  readonly platformsDefaulted: boolean
  /** Absolute host folder. */
  readonly root: string
  readonly prepare: readonly string[]
  /** The layers for a platform: functions called, `${platform.…}` filled in, other platforms' left out. */
  layersFor(platform: Platform): Promise<readonly LayerSpec[]>
  /** Of layers that name none of their own. */
  readonly compression: Compression
  readonly config: ConfigSpec
  /** What the user wrote and what `metadata` adds, the user's words on top. */
  readonly annotations: Readonly<Record<string, string>>
  /** Labels that `metadata` adds; the config's own win. */
  readonly metadataLabels: Readonly<Record<string, string>>
  /** Both, with another package.json than the one beside the config. */
  describedBy(packageJson: PackageJson | undefined): Pick<ImageSpec, 'annotations' | 'metadataLabels'>
  /** Seconds since the epoch: SOURCE_DATE_EPOCH, else the spec's, resolved. */
  readonly createdSeconds: number
  readonly index: boolean
  readonly formatVersion: 1
  /** Relative paths are relative to the working directory of the environment. */
  readonly outputs: readonly Reference[]
}

/** Everything a command line and a config file asked for. */
export interface ResolvedSpec {
  /** The file that was read, absolute; undefined when the spec was passed as a value. */
  readonly configFile: string | undefined
  /** Absolute; commands of `prepare` run here. */
  readonly root: string
  /** Run once, before any image's own. */
  readonly prepare: readonly string[]
  /** Settings of registries by host; their paths are relative to `folder`. */
  readonly registries: BuildSpec['registries']
  /** Absolute: the config file's, or the working directory. */
  readonly folder: string
  readonly images: readonly ImageSpec[]
  /** Absolute: where the spec or the command line says that images go, also those that are not built now. */
  readonly outputPaths: readonly string[]
}
