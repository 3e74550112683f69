/** What the pipeline takes and gives: the library's face, and the shapes that `--json` prints (contract, section 4). */

import type { AskedGit } from './config/git-info.ts'
import type { SpecOverrides } from './config/overrides.ts'
import type { EventListener, Warning } from './events.ts'
import type { Environment } from './environment.ts'
import type { Digest } from './spec/digest.ts'
import type { MediaType } from './spec/media-type.ts'

export interface BuildOptions {
  /** Where the config file is looked for and relative paths start. Default: the process's working directory. */
  readonly cwd?: string | undefined
  /** A config file; relative to `cwd`. */
  readonly config?: string | undefined
  /** A spec as a value (what a config file would export) in place of a file; host paths are relative to `cwd`. */
  readonly spec?: unknown
  /** What git was asked of the config's folder before; default: it is asked now. */
  readonly git?: AskedGit | undefined
  /** `--arg k=v`. */
  readonly args?: Readonly<Record<string, string>> | undefined
  /** Keys of `images` to build. Default: all. */
  readonly images?: readonly string[] | undefined
  /**
   * A commit of git: only images are built (or planned) whose files on this host, config or lockfiles changed since,
   * untracked and deleted files included.
   */
  readonly affectedSince?: string | undefined
  /** What the command line puts over the spec. */
  readonly overrides?: SpecOverrides | undefined
  /** Default: the user's cache folder. */
  readonly cacheDir?: string | undefined
  /** Default true; false works in a folder of its own that is removed at the end. */
  readonly cache?: boolean | undefined
  /**
   * What the cache folder may hold, in bytes; beyond that the least recently used goes when a build is done. Default:
   * `OCIBUILD_CACHE_MAX_SIZE`, else 10 GB.
   */
  readonly maxCacheBytes?: number | undefined
  /**
   * Images and cache manifests whose layers are taken over, where they were made of the same files, in place of making
   * them. Default: the tags that this build will overwrite; with `cache: false` none.
   */
  readonly cacheFrom?: readonly string[] | undefined
  /** Where a manifest of all layers that this build made is written, for the `cacheFrom` of other machines. */
  readonly cacheTo?: readonly string[] | undefined
  /** Default false; true makes every layer, also those that a cache has, and throws `OCB-CACHE-WRONG` where they differ. */
  readonly verifyCache?: boolean | undefined
  /** Of a plan: also compares each layer with what the last build made of it. Default false. */
  readonly why?: boolean | undefined
  readonly offline?: boolean | undefined
  readonly frozen?: boolean | undefined
  /** Default true; false skips the `prepare` commands. */
  readonly prepare?: boolean | undefined
  /** Default false; true fails the build on the first warning, before any output is written. */
  readonly strict?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: EventListener | undefined
  /** Default: this process's. */
  readonly environment?: Environment | undefined
  /** Where the output `-` goes. Default: none, and `-` is then an error. */
  readonly stdout?: NodeJS.WritableStream | undefined
}

export interface LayerResult {
  readonly name: string
  readonly digest: Digest
  readonly diffId: Digest
  /** In bytes, as stored. */
  readonly size: number
  readonly mediaType: MediaType
  /** True when this build neither read nor compressed it. */
  readonly cached: boolean
  /** The reference that a cached layer was taken over from; absent for this machine's own cache. */
  readonly cachedFrom?: string | undefined
  readonly from: 'base' | 'build'
}

export interface PlatformResult {
  readonly platform: string
  /** Of the manifest. */
  readonly digest: Digest
  /** Of the image config. */
  readonly config: Digest
  /** The same image as the one for this platform above, its layers as zstd; absent otherwise. */
  readonly twin?: 'zstd' | undefined
  readonly layers: readonly LayerResult[]
}

export interface OutputResult {
  /** The output as a reference, `oci:dist/image`. */
  readonly ref: string
  readonly digest: Digest
}

export interface ImageResult {
  /** Key in `images`; null in a spec of one image. */
  readonly image: string | null
  readonly name: string
  /** The first of `references`: one that this tool accepts, by digest. */
  readonly reference: string
  readonly references: readonly string[]
  /** Of the manifest, or of the index. */
  readonly digest: Digest
  readonly mediaType: MediaType
  /** Bytes of all distinct blobs: documents, configs and layers. */
  readonly size: number
  readonly tags: readonly string[]
  readonly outputs: readonly OutputResult[]
  readonly platforms: readonly PlatformResult[]
  /** Spent on this image: its plan, layers and outputs; `prepare` is not among them. */
  readonly durationMs: number
}

/** What `affectedSince` found. */
export interface AffectedImages {
  readonly since: string
  readonly images: readonly {
    /** Key in `images`; null in a spec of one image. */
    readonly image: string | null
    readonly name: string
    readonly affected: boolean
    /** The first few: a changed path below the work tree's root, and what of the image it is. */
    readonly reasons: readonly { readonly path: string; readonly because: string }[]
  }[]
}

export interface BuildResult {
  readonly schemaVersion: 1
  readonly images: readonly ImageResult[]
  /** Absent where `affectedSince` was not asked for; images that it left out are not in `images`. */
  readonly affected?: AffectedImages | undefined
  readonly warnings: readonly Warning[]
  readonly durationMs: number
}

export interface PlannedEntryView {
  /** Absolute image path. */
  readonly path: string
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'whiteout' | 'opaque'
  /** Octal digits. */
  readonly mode: string
  readonly uid: number
  readonly gid: number
  /** Bytes, of files. */
  readonly size: number
  readonly target?: string | undefined
  /** The host path of a file's bytes. */
  readonly source?: string | undefined
  /** The spec entry that placed it; absent for parents. */
  readonly origin?: string | undefined
}

/** An entry of a layer, as it was or as it will be. */
export interface ComparedEntryView {
  readonly type: string
  /** Octal digits. */
  readonly mode: string
  readonly uid: number
  readonly gid: number
  /** Seconds since the epoch. */
  readonly mtime: number
  readonly target?: string | undefined
  /** As JSON: names, and values in base64. */
  readonly xattrs?: string | undefined
  /** `sha256:…` of a file's bytes. */
  readonly digest?: string | undefined
  /** The spec entry that placed it; absent for parents, and for what a pushed image holds. */
  readonly origin?: string | undefined
}

export interface LayerWhyView {
  /**
   * `new`: there is nothing to compare with. `rewritten`: the same entries, compressed in another way or by another
   * encoder.
   */
  readonly status: 'new' | 'unchanged' | 'changed' | 'rewritten'
  /** `the last build`, or the reference of a pushed image; null where the layer is new. */
  readonly against: string | null
  /** Entries. */
  readonly added: number
  readonly removed: number
  readonly changed: number
  /** The first path that differs, in the order of layers. */
  readonly first: {
    /** Absolute image path. */
    readonly path: string
    readonly change: 'added' | 'removed' | 'changed'
    /** What of it is another; empty where it was added or removed. */
    readonly aspects: readonly ('type' | 'content' | 'target' | 'mode' | 'owner' | 'xattrs' | 'mtime')[]
    readonly before: ComparedEntryView | null
    readonly after: ComparedEntryView | null
  } | null
  /** Where it was another. */
  readonly compression?: { readonly before: string; readonly after: string } | undefined
}

export interface LayerPlanView {
  readonly name: string
  readonly compression: string
  readonly files: number
  /** Bytes of all files, before compression. */
  readonly size: number
  readonly entries: readonly PlannedEntryView[]
  /** Patterns that hid something, and how many names each. */
  readonly hidden: readonly { readonly rule: string; readonly count: number }[]
  /** Where `why` was asked for. */
  readonly why?: LayerWhyView | undefined
}

export interface PlatformPlanView {
  readonly platform: string
  readonly base: string
  /** Lowest first; base layers are not among them. */
  readonly layers: readonly LayerPlanView[]
  /** The image config's execution parameters after inheritance. */
  readonly config: Readonly<Record<string, unknown>>
}

export interface ImagePlanView {
  readonly image: string | null
  readonly name: string
  readonly tags: readonly string[]
  /** RFC 3339. */
  readonly created: string
  readonly annotations: Readonly<Record<string, string>>
  readonly outputs: readonly string[]
  /** What a Node.js project's image is made of and why, a line each; empty for others. */
  readonly decisions: readonly string[]
  /** Commands that a build runs first; a plan runs none. */
  readonly prepare: readonly string[]
  readonly platforms: readonly PlatformPlanView[]
}

export interface BuildPlan {
  readonly schemaVersion: 1
  readonly configFile: string | null
  readonly images: readonly ImagePlanView[]
  /** As in a build's result. */
  readonly affected?: AffectedImages | undefined
  readonly warnings: readonly Warning[]
}

/** What `lock` did with one reference. */
export interface LockChange {
  /** Fully qualified, as it stands in `oci.lock`. */
  readonly reference: string
  /** `facts`: it names what it named, and the spec asks other things of it. */
  readonly status: 'added' | 'changed' | 'facts' | 'removed' | 'unchanged'
  readonly before?: Digest | undefined
  readonly after?: Digest | undefined
  /** What the lock knows of it now: paths and owners, on all platforms. */
  readonly facts: number
}

export interface LockResult {
  readonly schemaVersion: 1
  /** Absolute. */
  readonly file: string
  /** False where the file had this very text. */
  readonly written: boolean
  readonly references: readonly LockChange[]
  readonly warnings: readonly Warning[]
}

export interface LockCheck {
  readonly schemaVersion: 1
  /** Absolute. */
  readonly file: string
  /** Nothing is outdated or missing. */
  readonly upToDate: boolean
  readonly references: readonly {
    readonly reference: string
    /** `unused`: the spec does not name it. */
    readonly status: 'current' | 'outdated' | 'missing' | 'unused'
    readonly locked?: Digest | undefined
    readonly current?: Digest | undefined
  }[]
  readonly warnings: readonly Warning[]
}
