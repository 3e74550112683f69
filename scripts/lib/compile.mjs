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
import { dirname, join } from 'node:path'
import { inRoot, ScriptError } from './project.mjs'
import { runTool } from './tools.mjs'

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
 * Two hundred modules become a handful of files, split where commands are loaded when they run: reading modules one
 * by one was half of the start. Packages stay packages.
 */
async function bundle(outdir) {
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
    legalComments: 'none',
    logLevel: 'warning',
  })
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
  const sources = readdirSync(inRoot('src'), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join('src', name))
  for (const name of ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', ...sources]) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(inRoot(name)))
      .update('\0')
  }
  return hash.digest('hex')
}

/** npm sets the bit for those who install; a clone runs the file as it is. */
function checkCommand(path) {
  if (!readFileSync(path, 'utf8').startsWith('#!/usr/bin/env node\n')) {
    throw new ScriptError(`${path} does not begin with #!/usr/bin/env node`)
  }
  chmodSync(path, 0o755)
}
