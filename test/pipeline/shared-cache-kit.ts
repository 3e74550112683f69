/** Builds on several machines that share a registry, and registries whose images were tampered with. */

import { join } from 'node:path'
import { sha256 } from '../../src/content/hash.ts'
import { build, type BuildOptions, type BuildResult } from '../../src/index.ts'
import { parseImageConfig } from '../../src/spec/parse-image-config.ts'
import { parseImageManifest } from '../../src/spec/parse-image-manifest.ts'
import type { ImageConfig } from '../../src/spec/image-config.ts'
import type { ImageManifest } from '../../src/spec/image-manifest.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'

export interface Machine {
  run(spec: object, options?: BuildOptions): Promise<BuildResult>
}

const defaults = { platforms: ['linux/amd64'], created: 'epoch', metadata: 'none' }

/** A machine with a cache folder of its own in `folder`. */
export function machine(folder: string, name: string): Machine {
  return {
    run: (spec, options = {}) =>
      build({
        cwd: folder,
        cacheDir: join(folder, `cache-${name}`),
        spec: 'images' in spec ? spec : { ...defaults, ...spec },
        ...options,
      }),
  }
}

interface Documents {
  readonly manifest: ImageManifest
  readonly config: ImageConfig
}

/** Reads the image at `from` (`host/repository:tag`), lets `change` do what it wants, and puts that at `to`. */
export async function tamper(
  from: string,
  to: string,
  change: (image: Documents) => Documents,
): Promise<void> {
  const [source, tag = ''] = splitName(from)
  const [target, newTag = ''] = splitName(to)
  const manifest = parseImageManifest(await read(`${source}/manifests/${tag}`))
  const config = parseImageConfig(await read(`${source}/blobs/${manifest.config.digest}`))
  const changed = change({ manifest, config })
  for (const { digest } of changed.manifest.layers) {
    await upload(target, await read(`${source}/blobs/${digest}`))
  }
  const bytes = Buffer.from(JSON.stringify(changed.config))
  const described = { ...manifest.config, digest: await upload(target, bytes), size: bytes.length }
  const answer = await fetch(`${target}/manifests/${newTag}`, {
    method: 'PUT',
    headers: { 'content-type': mediaTypes.manifest },
    body: JSON.stringify({ ...changed.manifest, config: described }),
  })
  if (answer.status !== 201) throw new Error(`${to}: ${answer.status} ${await answer.text()}`)
}

/** Puts a blob into a repository. */
export async function upload(repository: string, bytes: Buffer): Promise<ReturnType<typeof sha256>> {
  const digest = sha256(bytes)
  const { headers } = await fetch(`${repository}/blobs/uploads/`, { method: 'POST' })
  const place = new URL(headers.get('location') ?? '', repository)
  place.searchParams.set('digest', digest)
  const type = { 'content-type': 'application/octet-stream' }
  const { status } = await fetch(place, { method: 'PUT', headers: type, body: Uint8Array.from(bytes) })
  if (status !== 201) throw new Error(`upload to ${repository}: ${status}`)
  return digest
}

/** `http://host/v2/repository` and the tag. */
export function splitName(name: string): readonly [string, string | undefined] {
  const slash = name.indexOf('/')
  const colon = name.lastIndexOf(':')
  const tag = colon > slash ? name.slice(colon + 1) : undefined
  const repository = name.slice(slash + 1, colon > slash ? colon : undefined)
  return [`http://${name.slice(0, slash)}/v2/${repository}`, tag]
}

async function read(url: string): Promise<Buffer> {
  const answer = await fetch(url, { headers: { accept: `${mediaTypes.manifest}, */*` } })
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status}`)
  return Buffer.from(await answer.arrayBuffer())
}
