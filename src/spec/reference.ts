/**
 * References: one grammar for bases, `from`, outputs and every command (contract, section 2).
 * Names and tags follow distribution-spec v1.1.1, Pulling manifests; the default host and `library/` are Docker's.
 */

import type { Digest } from './digest.ts'

/** A repository in a registry, fully qualified. */
export interface RegistryReference {
  readonly transport: 'docker'
  /** With port where one was written: `docker.io`, `localhost:5000`. */
  readonly host: string
  /** Without host: `library/node`. */
  readonly repository: string
  /** `latest` where neither tag nor digest was written. */
  readonly tag?: string | undefined
  readonly digest?: Digest | undefined
}

/** An image layout folder, or the same as one tar (`-` is stdout). */
export interface LayoutReference {
  readonly transport: 'oci' | 'oci-archive' | 'docker-archive'
  /** As written, not resolved. */
  readonly path: string
  /** A ref name (`org.opencontainers.image.ref.name`; in a docker-archive a RepoTag), if one was written. */
  readonly ref?: string | undefined
  /** `@DIGEST`, if that was written in place of a ref name. */
  readonly digest?: Digest | undefined
}

export type Reference =
  | { readonly transport: 'scratch' }
  | { readonly transport: 'host'; readonly runtime: 'node' }
  /** `registry`: name and tags of the spec; only as an output. */
  | { readonly transport: 'registry' }
  | RegistryReference
  | LayoutReference
