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
import { bundle, sources } from './bundle.mjs'
import { inRoot, ScriptError } from './project.mjs'
import { runTool } from './tools.mjs'

const bundler = join('scripts', 'lib', 'bundle.mjs')
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
    dropUnreached(fresh)
    await bundle(fresh)
    checkCommand(join(fresh, 'cli.cjs'))
    rmSync(inRoot('dist'), { recursive: true, force: true })
    renameSync(fresh, inRoot('dist'))
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, fingerprint)
}

/** Leaves no types but those that `index.d.ts` leads to: nobody can import the others. */
function dropUnreached(folder) {
  const reached = new Set([join(folder, 'index.d.ts')])
  for (const path of reached) {
    const names = readFileSync(path, 'utf8').matchAll(/\b(?:from|import\() ?'(\.[^']+)\.ts'/g)
    for (const [, name] of names) reached.add(join(dirname(path), `${name}.d.ts`))
  }
  for (const name of readdirSync(folder, { recursive: true })) {
    const path = join(folder, name)
    if (name.endsWith('.d.ts') && !reached.has(path)) rmSync(path)
  }
}

function isCurrent(fingerprint) {
  if (!existsSync(inRoot('dist', 'cli.cjs'))) return false
  try {
    return readFileSync(stampFile, 'utf8') === fingerprint
  } catch {
    return false
  }
}

/** Over names and contents: a checkout gives every file a new time. */
function fingerprintOfSources() {
  const hash = createHash('sha256')
  for (const name of ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', bundler, ...sources()]) {
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
