import { defineConfig } from 'ocibuild'

// What differs between the jobs of a pipeline comes in through `--arg` and options, never through edits.
export default defineConfig(({ args, git }) => ({
  name: args['name'] ?? 'registry.example.com/team/app',
  tags: [git.shortCommit ?? 'dev'],
  base: args['base'] ?? 'host:node',
  layers: [{ name: 'app', entries: [{ copy: 'app', to: '/app' }] }],
  config: { cmd: ['node', '/app/server.js'], workingDir: '/app', exposedPorts: [3000] },
  metadata: 'package',
  created: 'git',
}))
