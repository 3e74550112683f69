/** Results and plans as a pipeline would give them. */

import type { BuildPlan, BuildResult, ImageResult, LayerResult } from '../../src/build-types.ts'
import type { Digest } from '../../src/spec/digest.ts'
import { mediaTypes } from '../../src/spec/media-type.ts'

export function fakeDigest(letter: string): Digest {
  return `sha256:${letter.repeat(64)}`
}

export function fakeLayer(name: string, size: number, origin: 'base' | 'cached' | 'built'): LayerResult {
  return {
    name,
    digest: fakeDigest('1'),
    diffId: fakeDigest('2'),
    size,
    mediaType: mediaTypes.layerGzip,
    cached: origin === 'cached',
    from: origin === 'base' ? 'base' : 'build',
  }
}

export function fakeImage(changes: Partial<ImageResult> = {}): ImageResult {
  const digest = fakeDigest('a')
  return {
    image: null,
    name: 'registry.example.com/team/app',
    reference: `oci:out:@${digest}`,
    references: [`oci:out:@${digest}`],
    digest,
    mediaType: mediaTypes.manifest,
    size: 3_500_000,
    tags: ['1.4.0', 'latest'],
    outputs: [{ ref: 'oci:out', digest }],
    durationMs: 1200,
    platforms: [
      {
        platform: 'linux/amd64',
        digest,
        config: fakeDigest('c'),
        layers: [fakeLayer('assets', 1_000_000, 'cached'), fakeLayer('app', 2_500_000, 'built')],
      },
    ],
    ...changes,
  }
}

export function fakeResult(images: readonly ImageResult[] = [fakeImage()]): BuildResult {
  return { schemaVersion: 1, images, warnings: [], durationMs: 1234 }
}

export function fakePlan(): BuildPlan {
  return {
    schemaVersion: 1,
    configFile: '/repo/oci.config.ts',
    warnings: [],
    images: [
      {
        image: null,
        name: 'app',
        tags: ['latest'],
        created: '1970-01-01T00:00:00Z',
        annotations: {},
        decisions: [],
        outputs: ['oci:.ocibuild/image'],
        prepare: ['npm run build'],
        platforms: [
          {
            platform: 'linux/amd64',
            base: 'scratch',
            config: { Env: ['A=1'], WorkingDir: '/app' },
            layers: [
              {
                name: 'app',
                compression: 'gzip:5',
                files: 21,
                size: 2100,
                hidden: [{ rule: 'exclude "*.map"', count: 3 }],
                entries: [
                  { path: '/app', type: 'directory', mode: '755', uid: 0, gid: 0, size: 0 },
                  { path: '/app/dist', type: 'directory', mode: '755', uid: 0, gid: 0, size: 0 },
                  ...Array.from({ length: 20 }, (_, index) => ({
                    path: `/app/dist/file-${index}.js`,
                    type: 'file' as const,
                    mode: '644',
                    uid: 1000,
                    gid: 1000,
                    size: 100,
                    source: `/repo/dist/file-${index}.js`,
                  })),
                  { path: '/bin', type: 'directory', mode: '755', uid: 0, gid: 0, size: 0 },
                  {
                    path: '/bin/app',
                    type: 'symlink',
                    mode: '777',
                    uid: 0,
                    gid: 0,
                    size: 0,
                    target: '/app/x',
                  },
                  { path: '/etc', type: 'directory', mode: '755', uid: 0, gid: 0, size: 0 },
                  { path: '/etc', type: 'opaque', mode: '755', uid: 0, gid: 0, size: 0 },
                  { path: '/etc/old', type: 'whiteout', mode: '644', uid: 0, gid: 0, size: 0 },
                ],
              },
            ],
          },
        ],
      },
    ],
  }
}
