/** Makes of src what is shipped: a handful of CommonJS files, and a face of ES modules for the library. */

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { lazyRequires } from './lazy-requires.mjs'
import { inRoot } from './project.mjs'

const require = createRequire(import.meta.url)
const { dependencies } = require('../../package.json')

/** Packages that become a part of our files: every start needs them, and only some of what they hold. */
const bundledPackages = ['commander', 'undici', 'valibot', 'yaml']

/** Of our other dependencies, those that are CommonJS, also below a face of ES modules. */
const commonJsPackages = ['fast-glob', 'jiti', 'picomatch', 'semver', 'tar-stream', 'yaml']

const core = inRoot('src', 'build.ts')

/** Imports ES modules for all others. */
const importFile = 'import.cjs'

/** What a build that finds nothing new never calls, nor any other of its size: with all that only they need, half of the pipeline. */
const laterFiles = [
  'archive/archive-target.ts',
  'archive/open-archive.ts',
  'content/block-encoder.ts',
  'content/decompress.ts',
  'deflate/deflate-module.ts',
  'deflate/encode-block.ts',
  'deflate/thread-code.ts',
  'image/known-layers.ts',
  'layer/build-layer.ts',
  'layer/changeset-digests.ts',
  'layer/content-hashes.ts',
  'layer/encode-facts.ts',
  'layer/hash-ahead.ts',
  'layer/long-files.ts',
  'layer/normalize.ts',
  'layer/read-source.ts',
  'lock/facts-tree.ts',
  'lock/format-lock.ts',
  'lock/record-lock.ts',
  'node/host-runtime.ts',
  'pipeline/damaged-cache.ts',
  'pipeline/plan-view.ts',
  'rootfs/open-rootfs.ts',
  'rootfs/owners.ts',
  'rootfs/read-image-file.ts',
  'rootfs/tree.ts',
].map((name) => inRoot('src', name))

/**
 * Into the folder `outdir`: two hundred modules become a handful of files, split where commands are loaded when they
 * run: reading modules one by one was half of the start. They are CommonJS, since Node.js starts its loader of ES modules
 * for the first of them, which takes a quarter of the time of `node -e 0`; what is split off only ES modules allow, so
 * each file is made one first.
 */
export async function bundle(outdir) {
  // Loaded here: on a fresh clone it is installed after this file was read.
  const { build, transform } = await import('esbuild')
  const { outputFiles, metafile } = await build({
    entryPoints: {
      index: inRoot('src', 'index.ts'),
      cli: inRoot('src', 'cli.ts'),
      'chunks/later': 'later',
    },
    outdir,
    outExtension: { '.js': '.cjs' },
    absWorkingDir: inRoot(),
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: Object.keys(dependencies),
    plugins: [noChildProcess, onlyPools, requireCommonJs, loadedLater, fewFiles],
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
    metafile: true,
  })
  const files = await Promise.all(
    outputFiles.map(async ({ path, text }) => ({ path, code: await toCommonJs(text, transform) })),
  )
  const later = files.find(({ path }) => basename(path) === 'later.cjs')
  const named = `later-${createHash('sha256').update(later.code).digest('hex').slice(0, 8)}.cjs`
  for (const { path, code } of files) {
    mkdirSync(dirname(path), { recursive: true })
    // As of all others, its name tells its content: what is kept of it between starts is told apart by that.
    const target = path === later.path ? join(dirname(path), named) : path
    writeFileSync(target, code.replaceAll(/(["/])later\.cjs"/g, `$1${named}"`))
  }
  writeFileSync(join(outdir, 'chunks', importFile), 'module.exports = (name) => import(name)\n')
  const [, { exports }] = Object.entries(metafile.outputs).find(([path]) => basename(path) === 'index.cjs')
  writeFileSync(
    join(outdir, 'index.js'),
    `import library from './index.cjs'\nexport const { ${exports.join(', ')} } = library\n`,
  )
  writeFileSync(join(outdir, 'licenses.txt'), bundledPackages.map(licenseOf).join('\n'))
}

async function toCommonJs(text, transform) {
  const own = text.replaceAll(/\bimport\(("\.[^"]+")\)/g, 'Promise.resolve().then(() => require($1))')
  const { code } = await transform(own, {
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    define: { 'import.meta.url': 'fileUrl' },
    banner: own.includes('import.meta.url')
      ? `const fileUrl = require('node:url').pathToFileURL(__filename).href;`
      : '',
  })
  // Code that is kept between starts loses track of where it came from, which import() has to know.
  return lazyRequires(code).replaceAll(/(?<![.\w{])import\(/g, `require("./${importFile}")(`)
}

/** commander would start commands that are programs: none of ours is one, and Node.js takes 2 ms to load this. */
const noChildProcess = {
  name: 'no-child-process',
  setup(build) {
    build.onResolve({ filter: /^node:child_process$/ }, ({ path, importer }) =>
      /[\\/]commander[\\/]/.test(importer) ? { path, namespace: 'none' } : undefined,
    )
    build.onLoad({ filter: /^/, namespace: 'none' }, () => ({ contents: 'module.exports = {}' }))
  },
}

/** Of undici its pools alone: with fetch, WebSocket, caches and mocks it takes 130 ms to load, and without them 30. */
const onlyPools = {
  name: 'only-pools',
  setup(build) {
    build.onResolve({ filter: /^undici$/ }, ({ path }) => ({ path, namespace: 'pools' }))
    build.onLoad({ filter: /^/, namespace: 'pools' }, () => ({
      contents: [
        `import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'`,
        `import api from 'undici/lib/api/index.js'`,
        `export { default as Agent } from 'undici/lib/dispatcher/agent.js'`,
        `export { default as ProxyAgent } from 'undici/lib/dispatcher/proxy-agent.js'`,
        // As its own index.js does.
        `Object.assign(Dispatcher.prototype, api)`,
      ].join('\n'),
      resolveDir: inRoot(),
    }))
  },
}

/** Makes `import()` of these packages a `require`: there is no loader of ES modules to ask. */
const requireCommonJs = {
  name: 'require-common-js',
  setup(build) {
    const filter = new RegExp(`^(?:${commonJsPackages.join('|')})$`)
    build.onResolve({ filter }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path, namespace: 'required', sideEffects: false } : undefined,
    )
    const others = Object.keys(dependencies).filter((name) => !commonJsPackages.includes(name))
    build.onResolve({ filter: new RegExp(`^(?:${others.join('|')})$`) }, ({ path, kind }) =>
      // Some Node.js can require it, and prints a warning.
      kind === 'import-statement'
        ? { errors: [{ text: `${path} is of ES modules: write import() where it is used` }] }
        : undefined,
    )
    build.onLoad({ filter: /^/, namespace: 'required' }, ({ path }) => {
      const names = Object.keys(require(path)).filter((name) => /^(?!default$)[A-Za-z_]\w*$/.test(name))
      const contents = [`import required from '${path}'`, `export default required`]
      return {
        contents: [...contents, `export const { ${names.join(', ')} } = required`].join('\n'),
        resolveDir: inRoot(),
      }
    })
  },
}

/** Makes one file of these and of what only they need, whose imports are loaded when they are used. */
const loadedLater = {
  name: 'loaded-later',
  setup(build) {
    const isLater = new Set(laterFiles)
    build.onResolve({ filter: /^later$/ }, ({ path }) => ({ path, namespace: 'later' }))
    build.onLoad({ filter: /^/, namespace: 'later' }, () => ({
      contents: [
        `import ${JSON.stringify(core)}`,
        ...laterFiles.map((file) => `export * from ${JSON.stringify(file)}`),
      ].join('\n'),
      resolveDir: inRoot(),
    }))
    build.onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) =>
      kind === 'import-statement' && isLater.has(resolve(resolveDir, path))
        ? { path: './later.cjs', external: true }
        : undefined,
    )
  },
}

/**
 * Has all that is loaded on demand load what is shared too: esbuild makes a file of each set of modules that the same
 * parts need, and to read fifty small files took longer than to run them.
 */
const fewFiles = {
  name: 'few-files',
  setup(build) {
    const command = inRoot('src', 'cli', 'run-process.ts')
    // Neither needs more than it names itself.
    const light = new Set([command, core, inRoot('src', 'cli', 'print-cache.ts')])
    const demanded = new Set(demandedFiles())
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (!demanded.has(path)) return undefined
      const shared = dirname(path) === dirname(command) ? [command, core] : [core]
      const imports = light.has(path) ? [] : shared.map((file) => `\nimport ${JSON.stringify(file)}`)
      return { contents: readFileSync(path, 'utf8') + imports.join(''), loader: 'ts' }
    })
  },
}

/** What is imported when it is needed, absolute. */
function demandedFiles() {
  return sources().flatMap((name) =>
    Array.from(readFileSync(inRoot(name), 'utf8').matchAll(/\bimport\('(\.[^']+)'\)/g), ([, path]) =>
      join(dirname(inRoot(name)), path),
    ),
  )
}

/** Every file of src, from the clone's root, sorted. */
export function sources() {
  return readdirSync(inRoot('src'), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join('src', name))
}

/** What their licenses ask to go with them. */
function licenseOf(name) {
  const folder = inRoot('node_modules', name)
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  return `${name}\n\n${readFileSync(join(folder, file), 'utf8')}`
}
