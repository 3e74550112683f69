/** What a registry of the tests holds, all in memory. */

import { randomUUID } from 'node:crypto'
import { digestOf } from './grammar.ts'

export interface StoredManifest {
  readonly mediaType: string
  readonly bytes: Buffer
}

export interface Repository {
  readonly blobs: Map<string, Buffer>
  readonly manifests: Map<string, StoredManifest>
  /** Tag to digest. */
  readonly tags: Map<string, string>
}

export interface UploadSession {
  readonly id: string
  readonly repository: string
  readonly chunks: Buffer[]
  length: number
  /** Every `_state` that was given out, the valid one last. */
  readonly states: string[]
  /** Whether a chunk below the least length came, after which only the end may. */
  short: boolean
}

export class RegistryState {
  readonly repositories: Map<string, Repository> = new Map()
  readonly uploads: Map<string, UploadSession> = new Map()

  /** The repository, made where it is not there. */
  open(name: string): Repository {
    const found = this.repositories.get(name)
    if (found) return found
    const made = { blobs: new Map(), manifests: new Map(), tags: new Map() }
    this.repositories.set(name, made)
    return made
  }

  /** Puts a blob there without a request; its digest. */
  addBlob(name: string, bytes: Uint8Array): string {
    const digest = digestOf(bytes)
    this.open(name).blobs.set(digest, Buffer.from(bytes))
    return digest
  }

  /** Puts a manifest there without a request or a check; its digest. */
  addManifest(
    name: string,
    mediaType: string,
    document: Uint8Array | object,
    tags: readonly string[] = [],
  ): string {
    const bytes =
      document instanceof Uint8Array ? Buffer.from(document) : Buffer.from(JSON.stringify(document))
    const digest = digestOf(bytes)
    const repository = this.open(name)
    repository.manifests.set(digest, { mediaType, bytes })
    for (const tag of tags) repository.tags.set(tag, digest)
    return digest
  }

  /** The manifest's digest by tag or digest, where it is there. */
  resolve(name: string, reference: string): string | undefined {
    const repository = this.repositories.get(name)
    const digest = repository?.tags.get(reference) ?? reference
    return repository?.manifests.has(digest) ? digest : undefined
  }

  startUpload(repository: string): UploadSession {
    const id = randomUUID()
    const session = { id, repository, chunks: [], length: 0, states: [], short: false }
    this.uploads.set(id, session)
    return session
  }
}
