/** Every field of a build spec, with what it means. Copy what you need into `oci.config.ts`. */

import { defineConfig, semverTags } from 'ocibuild'

// A spec, or a (possibly async) function that makes one. `args` come from `--arg k=v`; what git and package.json
// do not say is undefined.
export default defineConfig(({ env, args, git, packageJson }) => ({
  // Repository without tag. Default: the package's name without scope. A push needs a registry's host in it.
  name: 'registry.example.com/team/app',

  // Default: ['latest']. Arrays drop undefined, null, false and ''.
  tags: [...semverTags(git.version ?? packageJson.version), git.branchSlug, env['CI'] && git.shortCommit],

  // Default: 'scratch'. host:node is the Node.js that runs ocibuild; oci:DIR, oci-archive:FILE and docker-archive:FILE
  // are images on disk; 'node:22-slim' comes from a registry.
  base: args['base'] ?? 'host:node',

  // Default: linux and the host's architecture.
  platforms: ['linux/amd64', 'linux/arm64'],

  // What host paths are relative to. Default: the folder of this file.
  root: '.',

  // Host commands, run in order before files are read. `ocibuild plan` runs none.
  prepare: ['npm run build'],

  // The first is the lowest. A function is called for each platform; a plain array will do too.
  layers: ({ platform }) => [
    // A folder's contents land in `to`. Globs in include and exclude are relative to the folder.
    {
      name: 'assets',
      compression: 'none', // this layer's own
      entries: [
        { copy: 'public', to: '/app/public', include: ['**/*.css', 'img/**'], exclude: ['**/*.psd'] },
      ],
    },
    {
      name: 'app',
      entries: [
        {
          copy: ['dist', 'package.json'], // a list: each keeps its path below root, in `to`
          to: '/app',
          root: '.', // what `copy` is relative to, itself relative to the spec's root
          exclude: ['**/*.map'],
          mode: '0644', // default: 0644, or 0755 for what the owner may execute; 'preserve': the host's
          dirMode: '0755',
          owner: '1000:1000', // or names that the image knows; default: 0:0
          mtime: 'content', // 'epoch' | 'preserve' | RFC 3339 | seconds
          follow: false, // true: copy what symlinks point at
          hardLinks: 'copy', // 'preserve': keep them
        },
        { copy: `native/${platform.architecture}/*.node`, to: '/app/native/' },
        {
          file: '/etc/motd',
          content: 'version ${package.version:-dev}\n',
          template: true,
          mode: '0644',
          owner: 0,
        },
        { file: '/etc/logo', content: 'iVBORw0KGgo=', encoding: 'base64' },
        { append: '/etc/passwd', content: 'app:x:1000:1000::/app:/sbin/nologin\n' }, // or copy: a host file
        { directory: '/app/data', mode: '0770', owner: '1000:1000' },
        { symlink: '/app/current', target: 'dist' },
        { hardlink: '/app/start.js', target: '/app/dist/server.js' }, // a file of the same layer
        {
          archive: 'vendor/tools.tar.gz',
          to: '/opt/tools',
          strip: 1,
          include: ['bin/**'],
          exclude: ['**/*.md'],
        },
        {
          download: 'https://example.com/tini',
          sha256: '93dcc18adc78c65a028a84799ecf8ad40c936fdfc5f2a57b1acda5a8117fa82c',
          to: '/sbin/tini',
          mode: '0755',
          extract: false, // true: unpack it in `to`; then also strip
        },
        { remove: '/usr/share/doc' }, // of a lower layer
        { opaque: '/var/cache' }, // hides all that lower layers hold in it
        platform.architecture === 'arm64' && { file: '/app/arm64', content: '' },
      ],
    },
    // From another image; for some platforms only. A bare entry is a layer of its own.
    { copy: '/usr/lib/libssl*', from: 'oci:../base/image', to: '/usr/lib/', platforms: ['linux/amd64'] },
  ],

  // What is not set is inherited from the base; null, [] and '' clear.
  config: {
    entrypoint: ['/sbin/tini', '--'],
    cmd: ['node', '/app/dist/server.js'],
    env: {
      NODE_ENV: 'production',
      PATH: { prepend: '/app/node_modules/.bin:' }, // or append; the base's value stays between
      YARN_VERSION: null, // removed
    },
    workingDir: '/app',
    user: '1000:1000',
    exposedPorts: [3000, '53/udp'],
    volumes: ['/data'],
    labels: { 'com.example.team': 'core' },
    stopSignal: 'SIGTERM',
    healthcheck: {
      test: ['CMD', 'node', 'health.js'], // or ['CMD-SHELL', command], ['NONE']
      interval: '30s',
      timeout: '5s',
      startPeriod: '10s',
      startInterval: '1s',
      retries: 3,
    },
    author: 'Team <team@example.com>',
  },

  // On every manifest and on the index.
  annotations: { 'com.example.team': 'core' },

  // 'auto': org.opencontainers.image.* from package.json and git; 'package': from package.json only; 'none'.
  metadata: 'auto',

  // 'git': when HEAD was committed; 'epoch', RFC 3339, or seconds. SOURCE_DATE_EPOCH always wins.
  created: 'git',

  // 'gzip' | 'zstd' | 'none' | 'gzip:9' | { type, level } | ['gzip', 'zstd']: an index with both
  compression: { type: 'gzip', level: 5 },

  // true: an image index even for one platform.
  index: false,

  // How bytes are laid out; a newer ocibuild keeps writing an older format when asked.
  formatVersion: 1,

  // Settings of registries by host.
  registries: {
    'docker.io': { mirrors: ['art.example.com/hub'] },
    'art.example.com': { ca: 'corp.pem', clientCert: 'client.pem', clientKey: 'client.key', insecure: false },
  },

  // Default: ['oci:.ocibuild/image'].
  outputs: ['oci:dist/image', 'oci-archive:dist/image.tar', 'docker-archive:dist/docker.tar:team/app:dev'],
}))

// Several images of one folder: `prepare` runs once; objects merge by key over `defaults`, arrays and scalars replace,
// null resets.
//
// export default defineConfig({
//   prepare: ['npm run build'],
//   defaults: { base: 'host:node', config: { user: '1000:1000' } },
//   images: {
//     api: { layers: [{ copy: 'packages/api/dist', to: '/app' }], config: { cmd: ['node', '/app/main.js'] } },
//     web: { base: null, layers: [{ copy: 'packages/web/dist', to: '/srv' }] },
//   },
// })
