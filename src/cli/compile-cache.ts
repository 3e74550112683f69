/**
 * Keeps what V8 compiled of our own files for the next start, which takes a tenth off a short command. Node.js 22.1 and
 * later do it themselves; for those before, whose loader of CommonJS files will not change any more, it is done here.
 */

import { lstatSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { basename, dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { processEnvironment, type Environment } from '../environment.ts'

/** From here on; never throws, and does nothing where there is no place to keep it. */
export function keepCompiledCode(): void {
  const enable: unknown = Reflect.get(module, 'enableCompileCache')
  const prototype: unknown = Reflect.get(module, 'prototype')
  if (typeof enable === 'function') {
    Reflect.apply(enable, module, [])
    return
  }
  const folder = codeFolder(processEnvironment())
  if (folder === undefined || typeof prototype !== 'object' || prototype === null) return
  const compile: unknown = Reflect.get(prototype, '_compile')
  if (typeof compile !== 'function') return
  const own = dirname(fileURLToPath(import.meta.url)) + sep
  const fresh: { readonly path: string; readonly script: Script }[] = []
  Reflect.set(prototype, '_compile', function (this: object, content: string, filename: string): unknown {
    // The one file that calls import(), which code that was kept cannot do.
    const isKept = filename.startsWith(own) && basename(filename) !== 'import.cjs'
    if (!isKept) return Reflect.apply(compile, this, [content, filename])
    const path = join(folder, nameOf(filename))
    const cachedData = readKept(path)
    const script = new Script(`(function (exports, require, module, __filename, __dirname) {${content}\n})`, {
      filename,
      cachedData,
    })
    if (cachedData === undefined || script.cachedDataRejected === true) fresh.push({ path, script })
    const run: unknown = script.runInThisContext()
    if (typeof run !== 'function') throw new Error(`${filename} is no function`)
    const exports: unknown = Reflect.get(this, 'exports')
    return Reflect.apply(run, exports, [exports, createRequire(filename), this, filename, dirname(filename)])
  })
  // At the end all is compiled that this command needed.
  process.on('exit', () => {
    for (const { path, script } of fresh) keep(path, script)
  })
}

/** A folder of this user for this Node.js, which nobody else may write to: code of it is run. */
function codeFolder({ tempDir, variables, node }: Environment): string | undefined {
  if (variables['NODE_DISABLE_COMPILE_CACHE']) return undefined
  const uid = process.getuid?.()
  const path = join(tempDir, `ocibuild-code-${node.version}-${process.arch}-${uid ?? 'user'}`)
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    const stat = lstatSync(path)
    const isOwn = uid === undefined || (stat.uid === uid && (stat.mode & 0o022) === 0)
    return stat.isDirectory() && isOwn ? path : undefined
  } catch {
    return undefined
  }
}

/** Files' names tell their content; size and time are for those that somebody has changed since. */
function nameOf(filename: string): string {
  const { size, mtimeMs } = statSync(filename)
  return `${basename(filename)}-${size}-${mtimeMs}`
}

function readKept(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

function keep(path: string, script: Script): void {
  const temporary = `${path}-${process.pid}`
  try {
    // Flushed: V8 believes what it is given.
    writeFileSync(temporary, script.createCachedData(), { flush: true })
    renameSync(temporary, path)
  } catch {
    // It is compiled again.
  }
}
