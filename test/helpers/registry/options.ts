/** What a test may ask of its registry. Everything has a default; the defaults are strict and complete. */

import type { RegistryState } from './state.ts'

export interface TlsOptions {
  /** PEM. */
  readonly certificate: string
  readonly key: string
  /** PEM of the authority whose clients are let in; others fail in the handshake. Default: no client certificate. */
  readonly clientAuthority?: string | undefined
}

export interface BasicAuthentication {
  readonly kind: 'basic'
  readonly username: string
  readonly password: string
}

export interface BearerAuthentication {
  readonly kind: 'bearer'
  /** Accepted at the token server. Default: nobody is known, only anonymous tokens are given. */
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** A refresh (identity) token that the token server knows from the start. */
  readonly identityToken?: string | undefined
  /** Whether anonymous clients get tokens to pull. Default true. */
  readonly anonymousPull?: boolean | undefined
  /** Where the realm is. Default `same`: a path of the registry; `other`: another port. */
  readonly server?: 'same' | 'other' | undefined
  /** Forms of token request that are served; the others are answered with 405. Default both. */
  readonly forms?: readonly ('GET' | 'POST')[] | undefined
  /** The field of a GET's answer that has the token. Default both. */
  readonly field?: 'token' | 'access_token' | 'both' | undefined
  /** Whether a known user may do this. Default: everything. */
  readonly grants?: ((repository: string, action: string) => boolean) | undefined
  /** What becomes of a request with a scope that is not granted. Default `reduce`: a token for the rest. `refuse`: 403. */
  readonly denied?: 'reduce' | 'refuse' | undefined
  /** Requests that a token is good for; after that it has expired. Default: no end. */
  readonly uses?: number | undefined
  /** `expires_in`, seconds. Default 300; 0 leaves it out. */
  readonly expiresInSeconds?: number | undefined
}

export interface RegistryOptions {
  readonly authentication?: BasicAuthentication | BearerAuthentication | undefined
  readonly tls?: TlsOptions | undefined
  /** The form of upload Locations; `other-host`: absolute, on a port of its own that refuses credentials with 400. Default `absolute`. */
  readonly uploadLocation?: 'absolute' | 'relative' | 'other-host' | undefined
  /** Locations carry `?_state=…`, which changes with each answer and must come back. Default false. */
  readonly criticalQuery?: boolean | undefined
  /** Whether bytes of an upload that broke off stay in its session. Default true. */
  readonly keepPartialUploads?: boolean | undefined
  /** Whether a PATCH may come without Content-Range and Content-Length, as Docker's and skopeo's do. Default false. */
  readonly streamedPatch?: boolean | undefined
  /** Whether PATCH works at all; else 405. Default true. */
  readonly patch?: boolean | undefined
  /** `OCI-Chunk-Min-Length`, bytes; a chunk after one that was shorter is refused. Default: none. */
  readonly chunkMinLength?: number | undefined
  /** Whether `POST ?digest=` with the bytes is taken; else 202 and a session. Default false. */
  readonly singlePost?: boolean | undefined
  /** `refuse`: every mount is answered with 202 and a session. `without-from`: a blob is found without `from` too. Default `accept`. */
  readonly mount?: 'accept' | 'refuse' | 'without-from' | undefined
  /** Bodies over this are refused with 413 and a page of HTML before they are read, as a proxy does. */
  readonly maxBodyBytes?: number | undefined
  /** Manifests over this are refused with 413. Default 4 MiB. */
  readonly maxManifestBytes?: number | undefined
  /** Media types of manifests that may be pushed. Default: all. */
  readonly manifestTypes?: readonly string[] | undefined
  /** Media types of layers that may be pushed, checked in manifests. Default: all. */
  readonly layerTypes?: readonly string[] | undefined
  /** Whether what a manifest refers to must be there. Default true. */
  readonly checkReferences?: boolean | undefined
  /** Whether a tag that exists refuses every PUT. Default false. */
  readonly immutableTags?: boolean | undefined
  /** Whether `PUT …?tag=a&tag=b` is understood and echoed in OCI-Tag; later than v1.1.1. Default false. */
  readonly tagQuery?: boolean | undefined
  /** The most tags that one PUT takes; others are left out of OCI-Tag. Default 10. */
  readonly maxTagsPerPut?: number | undefined
  /** Whether manifests, tags and blobs can be deleted; `manifests`: only by digest. Default true. */
  readonly delete?: boolean | 'manifests' | undefined
  /** Whether the referrers API is there. Default true. */
  readonly referrers?: boolean | undefined
  /** The longest page of tags and of referrers. Default 100. */
  readonly pageSize?: number | undefined
  /** Form of the URL in `Link`. Default `relative`. */
  readonly linkUrl?: 'absolute' | 'relative' | undefined
  /** Whether `Range` is honoured for blobs. Default true. */
  readonly range?: boolean | undefined
  /** `other-host`: blobs are 307 to a port of its own that refuses credentials with 400, as cloud storage does. Default `here`. */
  readonly blobs?: 'here' | 'other-host' | undefined
  /** Whether answers have Docker-Content-Digest. Default true. */
  readonly digestHeader?: boolean | undefined
  /** Every request after this many is 429, until `resetRateLimit()`. */
  readonly rateLimit?: { readonly requests: number; readonly retryAfter?: string | undefined } | undefined
  /** Serves, read-only, another registry's content, its names below this path (`hub` → `hub/library/node`). */
  readonly mirrorOf?: { readonly state: RegistryState; readonly prefix?: string | undefined } | undefined
  /** Content to start with; shared, not copied. Default: empty. */
  readonly state?: RegistryState | undefined
}
