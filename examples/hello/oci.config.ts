import { defineConfig } from 'ocibuild'

export default defineConfig({
  name: 'hello',
  base: 'host:node', // the Node.js that runs ocibuild, with what it needs to run
  layers: [{ name: 'app', entries: [{ copy: ['hello.js', 'package.json'], to: '/app' }] }],
  config: {
    entrypoint: ['node', '/app/hello.js'],
    env: { NODE_ENV: 'production' },
    workingDir: '/app',
    user: 'node',
    exposedPorts: [3000],
  },
  // The digest moves with the content only: not with the commit, not with the day.
  metadata: 'package',
  created: 'epoch',
  outputs: ['oci:dist/image'],
})
