/** Documents of others: what is taken, what is kept, what is refused and where it says so. */

import { describe, expect, it } from 'vitest'
import { parseDescriptor } from '../../src/spec/parse-descriptor.ts'
import { parseImageConfig } from '../../src/spec/parse-image-config.ts'
import { parseImageIndex } from '../../src/spec/parse-image-index.ts'
import { parseImageManifest } from '../../src/spec/parse-image-manifest.ts'

const digest = `sha256:${'a'.repeat(64)}`
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 3 }
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 2 }
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

describe('descriptors', () => {
  it('keep all that image-spec knows', () => {
    const full = {
      ...layer,
      urls: ['https://example.com/x'],
      annotations: { a: 'b' },
      data: 'AAAA',
      artifactType: 'x/y',
      platform: { os: 'linux', architecture: 'arm', variant: 'v7', 'os.version': '1', 'os.features': ['x'] },
    }
    expect(parseDescriptor(full, 'x')).toEqual(full)
    expect(parseDescriptor({ ...layer, urls: null, annotations: null, other: 1 }, 'x')).toEqual(layer)
  })

  it.each([
    [null, 'd: '],
    [[], 'd: '],
    [{ ...layer, mediaType: undefined }, 'd.mediaType: found nothing'],
    [{ ...layer, mediaType: '' }, 'd.mediaType: empty'],
    [{ ...layer, digest: 'sha256:abc' }, 'd.digest: '],
    [{ ...layer, digest: `md5:${'a'.repeat(32)}` }, 'd.digest: '],
    [{ ...layer, digest: `sha256:${'../'.repeat(21)}a` }, 'd.digest: '],
    [{ ...layer, size: -1 }, 'd.size: found -1'],
    [{ ...layer, size: 1.5 }, 'd.size: found 1.5'],
    [{ ...layer, size: 2 ** 53 }, 'd.size: found'],
    [{ ...layer, size: '3' }, 'd.size: found "3"'],
    [{ ...layer, annotations: { a: 1 } }, 'd.annotations["a"]: found 1'],
    [{ ...layer, urls: [1] }, 'd.urls[0]: found 1'],
    [{ ...layer, platform: { os: 'linux' } }, 'd.platform.architecture: found nothing'],
  ])('refuse %j', (value, message) => {
    expect(() => parseDescriptor(value, 'd')).toThrow(
      expect.objectContaining({ code: 'OCB-DOCUMENT-INVALID', message: expect.stringContaining(message) }),
    )
  })
})

describe('manifests and indexes', () => {
  it('are read from bytes and from values, of OCI and of Docker', () => {
    const manifest = { schemaVersion: 2, config, layers: [layer], annotations: { a: 'b' } }
    expect(parseImageManifest(encode(manifest))).toEqual(manifest)
    expect(parseImageManifest(manifest)).toEqual(manifest)
    const dockerType = 'application/vnd.docker.distribution.manifest.v2+json'
    expect(parseImageManifest({ ...manifest, mediaType: dockerType }).mediaType).toBe(dockerType)
    expect(parseImageManifest({ ...manifest, layers: null }).layers).toEqual([])
    expect(parseImageIndex({ schemaVersion: 2, manifests: [config] }).manifests).toEqual([config])
  })

  it('are refused when they could be read as the other kind', () => {
    const both = { schemaVersion: 2, config, layers: [], manifests: [] }
    expect(() => parseImageManifest(both)).toThrow(/manifest\.manifests/)
    expect(() => parseImageIndex(both)).toThrow(/index\.config/)
    const index = 'application/vnd.oci.image.index.v1+json'
    expect(() => parseImageManifest({ schemaVersion: 2, mediaType: index, config, layers: [] })).toThrow(
      /mediaType/,
    )
    expect(() => parseImageManifest({ schemaVersion: 1, config, layers: [] })).toThrow(/schemaVersion/)
    expect(() => parseImageManifest({ schemaVersion: 2, layers: [] })).toThrow(/manifest\.config/)
    expect(() => parseImageManifest({ schemaVersion: 2, config, layers: [layer, 3] })).toThrow(
      /manifest\.layers\[1\]/,
    )
  })

  it('are refused when they are no JSON, no UTF-8, too large or nested too deep', () => {
    const code = (bytes: Uint8Array): unknown => {
      try {
        return parseImageManifest(bytes)
      } catch (error) {
        return error
      }
    }
    const text = (value: string): Uint8Array => new TextEncoder().encode(value)
    expect(code(text('{'))).toMatchObject({ code: 'OCB-DOCUMENT-INVALID' })
    expect(code(text(''))).toMatchObject({ code: 'OCB-DOCUMENT-INVALID' })
    expect(code(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ code: 'OCB-DOCUMENT-INVALID' })
    expect(code(text(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`))).toMatchObject({
      code: 'OCB-DOCUMENT-INVALID',
      message: expect.stringContaining('nested deeper'),
    })
    expect(code(new Uint8Array(4 * 1024 * 1024 + 1))).toMatchObject({ code: 'OCB-DOCUMENT-TOO-LARGE' })
  })
})

describe('configs', () => {
  const minimal = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digest] } }

  it('keep the execution parameters that nobody knows, and take null for absent', () => {
    const execution = {
      Env: ['A=1'],
      Cmd: null,
      Entrypoint: ['x'],
      ExposedPorts: { '80/tcp': {} },
      Volumes: null,
      Labels: { a: 'b' },
      Healthcheck: { Test: ['NONE'], Future: 1 },
      Shell: ['/bin/sh'],
      OnBuild: null,
    }
    expect(parseImageConfig({ ...minimal, config: execution, docker_version: '20' })).toEqual({
      ...minimal,
      config: {
        Env: ['A=1'],
        Entrypoint: ['x'],
        ExposedPorts: { '80/tcp': {} },
        Labels: { a: 'b' },
        Healthcheck: { Test: ['NONE'], Future: 1 },
        Shell: ['/bin/sh'],
      },
    })
  })

  it('do not let a key change what objects are', () => {
    const bytes = new TextEncoder().encode(
      `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{"__proto__":{"User":"evil"},"Labels":{"__proto__":"x"}}}`,
    )
    const { config: execution } = parseImageConfig(bytes)
    expect(execution?.User).toBeUndefined()
    expect(Object.keys(execution?.Labels ?? {})).toEqual(['__proto__'])
  })

  it.each([
    [{ ...minimal, rootfs: undefined }, 'config.rootfs: found nothing'],
    [{ ...minimal, rootfs: { type: 'x' } }, 'config.rootfs.type'],
    [{ ...minimal, rootfs: { type: 'layers', diff_ids: ['x'] } }, 'config.rootfs.diff_ids[0]'],
    [{ ...minimal, os: 3 }, 'config.os: found 3'],
    [{ ...minimal, config: { Env: 'A=1' } }, 'config.config.Env: found "A=1"'],
    [{ ...minimal, config: { Healthcheck: { Interval: '5s' } } }, 'config.config.Healthcheck.Interval'],
    [{ ...minimal, history: [{ empty_layer: 1 }] }, 'config.history[0].empty_layer'],
  ])('refuse %j', (value, message) => {
    expect(() => parseImageConfig(value)).toThrow(
      expect.objectContaining({ code: 'OCB-DOCUMENT-INVALID', message: expect.stringContaining(message) }),
    )
  })
})
