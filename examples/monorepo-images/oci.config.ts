import { defineConfig } from 'ocibuild'

export default defineConfig({
  // What every image starts from. Objects merge by key, arrays and scalars replace, null resets.
  defaults: {
    tags: ['3.0.0'],
    base: 'host:node',
    config: { workingDir: '/app', user: 'node', env: { NODE_ENV: 'production' } },
    metadata: 'package',
    created: 'epoch',
  },
  images: {
    api: {
      name: 'monorepo/api',
      layers: [
        { name: 'shared', entries: [{ copy: 'packages/shared', to: '/app/node_modules/@monorepo/shared' }] },
        { name: 'api', entries: [{ copy: 'packages/api', to: '/app' }] },
      ],
      config: { cmd: ['node', 'server.js'], exposedPorts: [3000] },
    },
    web: {
      name: 'monorepo/web',
      base: 'scratch',
      layers: [{ name: 'pages', entries: [{ copy: 'packages/web/public', to: '/srv/www' }] }],
      config: { workingDir: null, user: null, env: null },
    },
  },
})
