/** Compiles src to dist, when the sources are not those that dist was made of. */

import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { inRoot, ScriptError } from './project.mjs'
import { runTool } from './tools.mjs'

const require = createRequire(import.meta.url)
const stampFile = inRoot('node_modules', '.cache', 'ocibuild', 'compiled')

/**
 * Compiles into a fresh folder and swaps it in, so that dist never holds a file whose source is gone, and a
 * reader never sees half of it. Throws a ScriptError when a compiler fails.
 */
export async function ensureCompiled() {
  const fingerprint = fingerprintOfSources()
  if (isCurrent(fingerprint)) return
  console.error('compiling src to dist')
  // Beside the other caches: what a killed run leaves is in nobody's way.
  const fresh = inRoot('node_modules', '.cache', 'ocibuild', `dist.${process.pid}`)
  try {
    const flags = ['--outDir', fresh, '--emitDeclarationOnly', '--noCheck', '--incremental', 'false']
    // Types are checked by `npm test`; what is compiled here need not wait for them.
    runTool('tsc', ['-p', 'tsconfig.build.json', ...flags, '--tsBuildInfoFile', 'null'])
    await bundle(fresh)
    checkCommand(join(fresh, 'cli.js'))
    rmSync(inRoot('dist'), { recursive: true, force: true })
    renameSync(fresh, inRoot('dist'))
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, fingerprint)
}

/**
 * Into the folder `outdir`: two hundred modules become a handful of files, split where commands are loaded when they run: reading modules one
 * by one was half of the start. Packages stay packages.
 */
export async function bundle(outdir) {
  // Loaded here: on a fresh clone it is installed after this file was read.
  const { build } = await import('esbuild')
  await build({
    entryPoints: [inRoot('src', 'index.ts'), inRoot('src', 'cli.ts')],
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    plugins: [requireCommonJs, fewFiles],
    legalComments: 'none',
    logLevel: 'warning',
  })
}

/** Of our dependencies, those that are CommonJS, also below a face of ES modules. */
const commonJsPackages = [
  'commander',
  'fast-glob',
  'jiti',
  'picomatch',
  'semver',
  'tar-stream',
  'undici',
  'yaml',
]

/**
 * Makes `import` of these packages a `require`: imported, Node.js first starts a parser that looks for the names they
 * export, which took longer than to run all of commander. The names are found here, once.
 */
const requireCommonJs = {
  name: 'require-common-js',
  setup(build) {
    const filter = new RegExp(`^(?:${commonJsPackages.join('|')})$`)
    build.onResolve({ filter }, ({ path }) => ({ path, namespace: 'required', sideEffects: false }))
    build.onLoad({ filter, namespace: 'required' }, ({ path }) => {
      const names = Object.keys(require(path)).filter((name) => /^(?!default$)[A-Za-z_]\w*$/.test(name))
      const contents = [
        `import { createRequire } from 'node:module'`,
        `const required = createRequire(import.meta.url)('${path}')`,
        `export default required`,
        ...names.map((name) => `export const ${name} = required.${name}`),
      ]
      return { contents: contents.join('\n'), loader: 'js' }
    })
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
    const core = inRoot('src', 'build.ts')
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

function isCurrent(fingerprint) {
  if (!existsSync(inRoot('dist', 'cli.js'))) return false
  try {
    return readFileSync(stampFile, 'utf8') === fingerprint
  } catch {
    return false
  }
}

/** Over names and contents: a checkout gives every file a new time. */
function fingerprintOfSources() {
  const hash = createHash('sha256')
  for (const name of ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', ...sources()]) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(inRoot(name)))
      .update('\0')
  }
  return hash.digest('hex')
}

/** Every file of src, from the clone's root, sorted. */
function sources() {
  return readdirSync(inRoot('src'), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join('src', name))
}

/** npm sets the bit for those who install; a clone runs the file as it is. */
function checkCommand(path) {
  if (!readFileSync(path, 'utf8').startsWith('#!/usr/bin/env node\n')) {
    throw new ScriptError(`${path} does not begin with #!/usr/bin/env node`)
  }
  chmodSync(path, 0o755)
}
