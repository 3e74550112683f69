import { defineConfig } from 'ocibuild'

export default defineConfig({
  name: 'multi-platform',
  base: 'scratch',
  platforms: ['linux/amd64', 'linux/arm64', 'linux/arm/v7'],
  prepare: ['node make-programs.mjs'], // in real life: GOARCH=arm64 go build, cargo build --target …
  // Called once for each platform.
  layers: ({ platform }) => {
    const { os, architecture, variant } = platform
    const folder = [os, architecture, variant].filter(Boolean).join('-')
    return [
      // The same bytes on every platform: stored and pushed once.
      {
        name: 'shared',
        entries: [
          { directory: '/tmp', mode: '1777' },
          { file: '/etc/passwd', content: 'nobody:x:65534:65534:nobody:/:/sbin/nologin\n' },
        ],
      },
      {
        name: 'program',
        entries: [
          { copy: `dist/${folder}/hello`, to: '/usr/bin/hello', mode: '0755' },
          { file: '/etc/hello/memory-limit', content: '64M\n', platforms: ['linux/arm/v7'] },
        ],
      },
    ]
  },
  config: { entrypoint: ['/usr/bin/hello'], user: '65534:65534' },
  metadata: 'none',
  created: 'epoch',
  outputs: ['oci:dist/image'],
})
