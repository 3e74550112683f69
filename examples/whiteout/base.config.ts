import { defineConfig } from 'ocibuild'

// Stands in for an image that others made: a few things too many, and one that lacks a line.
export default defineConfig({
  name: 'whiteout-base',
  base: 'scratch',
  platforms: ['linux/amd64'],
  layers: [
    {
      name: 'system',
      entries: [
        { directory: '/usr/bin' },
        { symlink: '/bin', target: 'usr/bin' },
        { file: '/usr/bin/debugger', content: '#!/bin/sh\n', mode: '0755' },
        { file: '/etc/hosts.allow', content: 'sshd: 10.0.0.0/8\n', mode: '0640' },
        { directory: '/var/cache/app', mode: '0750', owner: '1000:1000' },
        { file: '/var/cache/app/stale-1', content: 'stale\n' },
        { file: '/var/cache/app/stale-2', content: 'stale\n' },
      ],
    },
  ],
  config: { env: { MODE: 'debug', PATH: '/usr/bin' }, cmd: ['/bin/debugger'] },
  metadata: 'none',
  created: 'epoch',
  outputs: ['oci:dist/base'],
})
