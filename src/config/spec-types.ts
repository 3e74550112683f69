/** The user's words: what a config file exports. The docs of these fields are the descriptions in the JSON schema. */

import type { EntryWords, List } from './entry-types.ts'
import type { GitInfo } from './resolved-spec.ts'

export type * from './entry-types.ts'

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
  /** Compression of the layers: gzip (level 5 unless set), zstd (3), none, TYPE:LEVEL or { type, level }. A layer may override it. ['gzip', 'zstd'] writes an index with both, gzip first. Default: gzip. */
  readonly compression?: CompressionWords | List<CompressionWords> | undefined
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

export interface ConfigWords {
  /** The command line's fixed part. Setting it drops the base's cmd; [] or null clears. */
  readonly entrypoint?: List<string> | null | undefined
  /** The command, or the arguments of the entrypoint; [] or null clears. */
  readonly cmd?: List<string> | null | undefined
  /** Environment variables: a value, { prepend, append } around the base's value, or null to remove; null for all clears. */
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
  /** The file to run, relative to the package; default: what package.json or the framework's output says. */
  readonly entry?: string | undefined
  /** Take dependencies as installed, or as the lockfile says. */
  readonly dependencies?: 'installed' | 'lockfile' | undefined
  /** Globs of the package's files to take, in place of the files of package.json. */
  readonly include?: List<string> | undefined
  /** Globs of the package's files to leave out. */
  readonly exclude?: List<string> | undefined
  /** Files, or globs of them, that may ship though they look secret, or are native and do not load in the base. */
  readonly allow?: List<string> | undefined
  /** Paths that the user may write. */
  readonly writable?: List<string> | undefined
  /** Where the project's root (of a monorepo: its own) lies in the image. Default: /app. */
  readonly workingDir?: string | undefined
  /** true adds a preload that ends the app on SIGTERM and SIGINT where it does not listen for them. Default: false. */
  readonly init?: boolean | undefined
}
