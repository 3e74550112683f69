import { defineConfig } from 'ocibuild'

export default defineConfig({
  name: 'whiteout',
  base: 'oci:dist/base', // made by base.config.ts
  platforms: ['linux/amd64'],
  layers: [
    {
      name: 'changes',
      entries: [
        { remove: '/bin/debugger' }, // found through the link: usr/bin/.wh.debugger
        { opaque: '/var/cache/app' }, // hides all that the base has in it …
        { copy: 'app/fresh', to: '/var/cache/app/', owner: '1000:1000' }, // … and this is all there is
        { append: '/etc/hosts.allow', content: 'app: 192.168.0.0/16\n' }, // mode and owner stay the base's
      ],
    },
  ],
  config: { env: { MODE: null, PATH: { append: ':/app/bin' } }, cmd: [] },
  metadata: 'none',
  created: 'epoch',
  outputs: ['oci:dist/image'],
})
