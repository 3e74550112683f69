/** Faults of descriptors and of the content they name. */

import { sha256 } from '../../src/content/hash.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'
import { validateImage } from '../../src/image/validate-image.ts'
import { addJson, makeImage } from '../helpers/hand-made-image.ts'
import { check, checkIndex, layerWith, manifestWith, platform, sound, type Case } from './validate-kit.ts'

export const contentFaults: readonly Case[] = [
  {
    fault: 'a layer that is not in the store',
    find: layerWith((layer) => ({ ...layer, digest: sha256('gone') })),
    codes: ['OCB-VALIDATE-MISSING'],
    where: /^manifest sha256:[0-9a-f]{64} layers\[0\]$/,
  },
  {
    fault: 'a layer of another size',
    find: layerWith((layer) => ({ ...layer, size: Number(layer['size']) + 1 })),
    codes: ['OCB-VALIDATE-CONTENT'],
  },
  {
    fault: 'a layer that is longer than its descriptor says',
    find: layerWith((layer) => ({ ...layer, size: 10 })),
    codes: ['OCB-VALIDATE-CONTENT'],
  },
  {
    fault: 'a manifest of another size',
    find: async () => await check([sound], {}, (root) => ({ size: root.size + 1 })),
    codes: ['OCB-VALIDATE-CONTENT'],
  },
  {
    fault: 'a manifest that is too large to be read',
    find: async () => await check([sound], {}, () => ({ size: 5 * 1024 * 1024 })),
    codes: ['OCB-VALIDATE-TOO-LARGE'],
  },
  {
    fault: 'a manifest that is no JSON',
    find: async () => await check([sound], { manifest: () => Buffer.from('{') }),
    codes: ['OCB-VALIDATE-JSON'],
  },
  {
    fault: 'a config that is no UTF-8',
    find: async () => await check([sound], { config: () => Buffer.from('{"os":"\xff"}', 'latin1') }),
    codes: ['OCB-VALIDATE-JSON'],
    where: /^config sha256:/,
  },
  {
    fault: 'a config that is a list',
    find: async () => await check([sound], { config: () => [] }),
    codes: ['OCB-VALIDATE-JSON'],
  },
  {
    fault: 'a descriptor without size',
    find: layerWith((layer) => ({ ...layer, size: undefined })),
    codes: ['OCB-VALIDATE-DESCRIPTOR'],
  },
  {
    fault: 'a descriptor that is text',
    find: manifestWith({ subject: 'sha256:' }),
    codes: ['OCB-VALIDATE-DESCRIPTOR'],
    where: / subject$/,
  },
  {
    fault: 'urls that are none',
    find: layerWith((layer) => ({ ...layer, urls: ['not a url'] })),
    codes: ['OCB-VALIDATE-DESCRIPTOR'],
  },
  {
    fault: 'a digest in upper case',
    find: layerWith((layer) => ({ ...layer, digest: String(layer['digest']).toUpperCase() })),
    codes: ['OCB-VALIDATE-DIGEST'],
  },
  {
    fault: 'a digest that is too short',
    find: layerWith((layer) => ({ ...layer, digest: 'sha256:abc' })),
    codes: ['OCB-VALIDATE-DIGEST'],
  },
  {
    fault: 'a digest of an algorithm that is not registered',
    find: layerWith((layer) => ({ ...layer, digest: 'blake3:abc' })),
    codes: ['OCB-VALIDATE-DIGEST-ALGORITHM'],
  },
  {
    fault: 'embedded data that is not the content',
    find: layerWith((layer) => ({ ...layer, data: Buffer.from('x').toString('base64') })),
    codes: ['OCB-VALIDATE-DATA'],
  },
  {
    fault: 'embedded data that is not base64',
    find: layerWith((layer) => ({ ...layer, data: '!' })),
    codes: ['OCB-VALIDATE-DATA'],
  },
  {
    fault: 'an annotation that is a number',
    find: manifestWith({ annotations: { a: 1 } }),
    codes: ['OCB-VALIDATE-ANNOTATION'],
  },
  {
    fault: 'an annotation with an empty key',
    find: layerWith((layer) => ({ ...layer, annotations: { '': 'x' } })),
    codes: ['OCB-VALIDATE-ANNOTATION'],
  },
  {
    fault: 'a platform without os',
    find: async () => await checkIndex((image) => [{ ...image, platform: { architecture: 'amd64' } }]),
    codes: ['OCB-VALIDATE-PLATFORM'],
    where: /^index sha256:[0-9a-f]{64} manifests\[0\]$/,
  },
  {
    fault: 'a descriptor for another platform than the config',
    find: async () =>
      await checkIndex((image) => [{ ...image, platform: { os: 'linux', architecture: 'arm64' } }]),
    codes: ['OCB-VALIDATE-PLATFORM-MISMATCH'],
  },
  {
    fault: 'a variant that only the descriptor has, and that the architecture has by itself',
    find: async () => await checkIndex((image) => [{ ...image, platform: { ...platform, variant: 'v1' } }]),
    codes: ['OCB-VALIDATE-PLATFORM-VARIANT'],
  },
  {
    fault: 'two manifests for one platform',
    find: async () =>
      await checkIndex((image) => [
        { ...image, platform },
        { ...image, platform },
      ]),
    codes: ['OCB-VALIDATE-PLATFORM-DUPLICATE'],
  },
  {
    fault: 'an empty config without an artifactType',
    find: async () => {
      const { store, layers } = await makeImage([sound])
      const config = await addJson(store, mediaTypes.empty, {})
      const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers }
      return (await validateImage(store, await addJson(store, mediaTypes.manifest, manifest))).findings
    },
    codes: ['OCB-VALIDATE-ARTIFACT-TYPE'],
  },
  {
    fault: 'an empty descriptor over content',
    find: async () => {
      const { store } = await makeImage([])
      const layer = await addJson(store, mediaTypes.empty, { a: 1 })
      const config = await addJson(store, mediaTypes.empty, {})
      const manifest = {
        schemaVersion: 2,
        mediaType: mediaTypes.manifest,
        artifactType: 'application/x',
        config,
        layers: [layer],
      }
      return (await validateImage(store, await addJson(store, mediaTypes.manifest, manifest))).findings
    },
    codes: ['OCB-VALIDATE-EMPTY'],
  },
]
