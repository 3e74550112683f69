/** Resolved specs in short, for tests below the config. */

import type { ImageSpec } from '../../src/config/resolved-spec.ts'

export function imageSpec(more: Partial<ImageSpec> = {}): ImageSpec {
  return {
    image: undefined,
    name: 'example.com/team/app',
    tags: ['latest'],
    base: { transport: 'scratch' },
    baseText: 'scratch',
    baseDefaulted: false,
    node: undefined,
    platforms: [{ os: 'linux', architecture: 'amd64' }],
    platformsDefaulted: false,
    root: '/nowhere',
    prepare: [],
    layersFor: async () => [],
    compression: { type: 'gzip', level: 5 },
    config: {},
    annotations: {},
    metadataLabels: {},
    describedBy: () => ({ annotations: {}, metadataLabels: {} }),
    createdSeconds: 0,
    index: false,
    formatVersion: 1,
    outputs: [],
    ...more,
  }
}
