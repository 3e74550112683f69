/** Projects whose dependencies are of every kind that a lockfile knows. */

import { addFiles, makeProject, type Files } from '../project/project-kit.ts'
import { packageArchive } from './hand-made.ts'

/**
 * `ms@2.1.3` under another name, peers, capitals in a name, an optional one for macOS, commands, a linked folder
 * (`link` is the manager's word for it).
 */
export function mixedProject(link: 'file' | 'link', more: object = {}): string {
  const root = makeProject({
    'package.json': {
      name: 'app',
      version: '1.0.0',
      main: 'server.js',
      dependencies: {
        other: 'npm:ms@2.1.3',
        debug: '2.6.9',
        JSONStream: '1.3.5',
        'use-sync-external-store': '1.4.0',
        react: '18.3.1',
        semver: '7.6.3',
        rc: '1.2.8',
        own: 'file:own-1.0.0.tgz',
        linked: `${link}:libs/linked`,
      },
      optionalDependencies: { fsevents: '2.3.3' },
      devDependencies: { semver5: 'npm:semver@5.7.2', 'strip-json-comments': '3.1.1' },
      ...more,
    },
    'server.js': '',
    'libs/linked/package.json': { name: 'linked', version: '1.0.0', bin: 'cli.js', files: ['cli.js'] },
    'libs/linked/cli.js': '#!/usr/bin/env node\n',
    'libs/linked/test.js': '',
  })
  packOwn(root)
  return root
}

/** An archive with what registries seldom hold: a bundled package, a command with Windows' line ends, ignore files. */
function packOwn(root: string): void {
  const words = {
    name: 'own',
    version: '1.0.0',
    bin: { 'own-command': './bin/own.js', 'own-other': 'lib/other' },
    dependencies: { inner: '1.0.0', ms: '2.0.0' },
    bundleDependencies: ['inner'],
    scripts: { install: 'exit 1' },
  }
  const inner = { name: 'inner', version: '1.0.0', bin: { inner: 'cli.js' } }
  const archive = packageArchive([
    { name: 'package.json', content: JSON.stringify(words) },
    { name: 'bin/own.js', content: '#!/usr/bin/env node\r\nrequire("inner")\r\n' },
    { name: 'lib/other', content: '#!/usr/bin/env node\n' },
    { name: 'lib/.gitignore', content: 'a\n' },
    { name: 'lib/tool.sh', content: '#!/bin/sh\n', mode: 0o755 },
    { name: 'lib/group.sh', content: '#!/bin/sh\n', mode: 0o674 },
    { name: 'lib/link', flag: '2', link: 'other' },
    { name: 'lib/twice.txt', content: 'first' },
    { name: 'data/.npmrc', content: 'x=1\n' },
    { name: 'lib/twice.txt', content: 'second' },
    { name: 'node_modules/inner/package.json', content: JSON.stringify(inner) },
    { name: 'node_modules/inner/cli.js', content: '#!/usr/bin/env node\n' },
  ])
  addFiles(root, { 'own-1.0.0.tgz': archive })
}

export const workspaces: Files = {
  'package.json': { name: 'root', version: '1.0.0', private: true, workspaces: ['packages/*'] },
  'packages/api/package.json': {
    name: '@acme/api',
    version: '1.0.0',
    main: 'index.js',
    dependencies: { '@acme/shared': '1.0.0', debug: '4.3.7', semver: '6.3.1' },
    devDependencies: { rimraf: '5.0.10' },
  },
  'packages/api/index.js': '',
  'packages/shared/package.json': {
    name: '@acme/shared',
    version: '1.0.0',
    main: 'index.js',
    bin: { shared: 'index.js' },
    dependencies: { semver: '7.6.3', rc: '1.2.8' },
  },
  'packages/shared/index.js': '',
  'packages/web/package.json': {
    name: '@acme/web',
    version: '1.0.0',
    dependencies: { semver: '5.7.2', minimist: '1.2.7' },
  },
}

/** The same with what pnpm reads. */
export function pnpmWorkspaces(packageManager: string): string {
  const root = makeProject(workspaces)
  addFiles(root, {
    'package.json': { name: 'root', version: '1.0.0', private: true, packageManager },
    'pnpm-workspace.yaml': 'packages:\n  - packages/*\n',
    'packages/api/package.json': {
      ...Object(workspaces['packages/api/package.json']),
      dependencies: { '@acme/shared': 'workspace:*', debug: '4.3.7', semver: '6.3.1' },
    },
  })
  return root
}

/** Of ms@2.1.3: a line changes, a file comes. */
export const msPatch = `diff --git a/added.js b/added.js
new file mode 100644
index 0000000000000000000000000000000000000000..0123456789012345678901234567890123456789
--- /dev/null
+++ b/added.js
@@ -0,0 +1 @@
+module.exports = 1
diff --git a/index.js b/index.js
--- a/index.js
+++ b/index.js
@@ -5,2 +5,2 @@
-var s = 1000;
+var s = 1001;
 var m = s * 60;
`

export function patchedProject(packageManager: string): string {
  return makeProject({
    'package.json': {
      name: 'app',
      version: '1.0.0',
      main: 'server.js',
      packageManager,
      dependencies: { ms: '2.1.3' },
      pnpm: { patchedDependencies: { 'ms@2.1.3': 'patches/ms@2.1.3.patch' } },
    },
    'server.js': '',
    'patches/ms@2.1.3.patch': msPatch,
  })
}
