/** Faults of manifests and indexes. */

import { mediaTypes } from '../../src/spec/media-type.ts'
import { validateImage } from '../../src/image/validate-image.ts'
import { addJson, makeImage } from '../helpers/hand-made-image.ts'
import { check, checkIndex, layerWith, manifestWith, sound, type Case } from './validate-kit.ts'

export const documentsFaults: readonly Case[] = [
  {
    fault: 'schemaVersion 1',
    find: manifestWith({ schemaVersion: 1 }),
    codes: ['OCB-VALIDATE-SCHEMA-VERSION'],
  },
  {
    fault: 'a document of another media type than its descriptor',
    find: manifestWith({ mediaType: mediaTypes.dockerManifest }),
    codes: ['OCB-VALIDATE-MEDIA-TYPE'],
  },
  {
    fault: 'a document without a media type',
    find: manifestWith({ mediaType: undefined }),
    codes: ['OCB-VALIDATE-MEDIA-TYPE-MISSING'],
  },
  {
    fault: 'a layer of an unknown type',
    find: layerWith((layer) => ({ ...layer, mediaType: 'application/x-tar' })),
    codes: ['OCB-VALIDATE-MEDIA-TYPE-UNKNOWN'],
  },
  {
    fault: 'a root that is no document',
    find: async () => {
      const { store, config } = await makeImage([sound])
      return (await validateImage(store, config)).findings
    },
    codes: ['OCB-VALIDATE-ROOT-TYPE'],
  },
  {
    fault: 'layers that are no list',
    find: manifestWith({ layers: {} }),
    codes: [
      'OCB-VALIDATE-HISTORY-COUNT',
      'OCB-VALIDATE-LAYER-COUNT',
      'OCB-VALIDATE-MANIFEST',
      'OCB-VALIDATE-NO-LAYERS',
    ],
  },
  {
    fault: 'manifests that are no list',
    find: async () => await checkIndex(() => [], { manifests: 'x' }),
    codes: ['OCB-VALIDATE-INDEX'],
  },
  {
    fault: 'a manifest that is an index too',
    find: manifestWith({ manifests: [] }),
    codes: ['OCB-VALIDATE-AMBIGUOUS'],
  },
  {
    fault: 'an index that is a manifest too',
    find: async () => await checkIndex((image) => [image], { layers: [] }),
    codes: ['OCB-VALIDATE-AMBIGUOUS'],
  },
  {
    fault: 'indexes that lie too deep',
    find: async () => {
      const made = await makeImage([sound])
      let { root } = made
      for (let depth = 0; depth < 10; depth += 1) {
        const index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [root] }
        root = await addJson(made.store, mediaTypes.index, index)
      }
      return (await validateImage(made.store, root)).findings
    },
    codes: ['OCB-VALIDATE-DEPTH'],
  },
  { fault: 'no layers', find: async () => await check([]), codes: ['OCB-VALIDATE-NO-LAYERS'] },
]
