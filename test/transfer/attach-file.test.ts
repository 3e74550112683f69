/** Attached files: what their manifests say, and what is refused. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createMemoryStore } from '../../src/content/memory-store.ts'
import { readDocument } from '../../src/content/read-document.ts'
import { sha256 } from '../../src/content/hash.ts'
import { parseImageManifest } from '../../src/spec/parse-image-manifest.ts'
import { attachFile } from '../../src/transfer/attach-file.ts'
import { putImage } from '../helpers/images.ts'
import { temporaryFolder } from '../helpers/unpack.ts'

function file(content: string): string {
  const folder = temporaryFolder()
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'sbom.json')
  writeFileSync(path, content)
  return path
}

describe('an attached file', () => {
  it('is an artifact with an empty config, about its subject', async () => {
    const store = createMemoryStore()
    const { manifest: subject } = await putImage(store, [{ a: 'a' }])
    const path = file('{"a":1}')
    const options = { artifactType: 'application/spdx+json', annotations: { stage: 'qa' } }
    const root = await attachFile(store, path, subject, options)
    const bytes = await readDocument(store, root)
    expect(parseImageManifest(bytes)).toEqual({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'application/spdx+json',
      config: {
        mediaType: 'application/vnd.oci.empty.v1+json',
        digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
        size: 2,
        data: 'e30=',
      },
      layers: [
        {
          mediaType: 'application/octet-stream',
          digest: sha256(readFileSync(path)),
          size: 7,
          annotations: { 'org.opencontainers.image.title': 'sbom.json' },
        },
      ],
      // The platform is what an index says of the subject; it is no part of a subject.
      subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
      annotations: { stage: 'qa' },
    })
    expect((await attachFile(store, path, subject, options)).digest).toBe(root.digest)
  })

  it('may be empty', async () => {
    const store = createMemoryStore()
    const { manifest } = await putImage(store, [{ a: 'a' }])
    const root = await attachFile(store, file(''), manifest, { artifactType: 'a/b' })
    const { layers } = parseImageManifest(await readDocument(store, root))
    expect(layers[0]?.size).toBe(0)
  })

  it.each([
    ['spdx', undefined, 'OCB-USAGE-ARTIFACT-TYPE'],
    ['a/b', 'text', 'OCB-USAGE-ARTIFACT-TYPE'],
    ['a/b\nc/d', undefined, 'OCB-USAGE-ARTIFACT-TYPE'],
  ])('is refused with the type %j and the media type %j', async (artifactType, mediaType, code) => {
    const store = createMemoryStore()
    const { manifest } = await putImage(store, [{ a: 'a' }])
    const attaching = attachFile(store, file('x'), manifest, { artifactType, mediaType })
    await expect(attaching).rejects.toMatchObject({ code })
  })

  it('is a file that can be read', async () => {
    const store = createMemoryStore()
    const { manifest } = await putImage(store, [{ a: 'a' }])
    const folder = join(file('x'), '..')
    for (const path of [folder, join(folder, 'nothing')]) {
      const attaching = attachFile(store, path, manifest, { artifactType: 'a/b' })
      await expect(attaching).rejects.toMatchObject({ code: 'OCB-USAGE-FILE' })
    }
  })
})
