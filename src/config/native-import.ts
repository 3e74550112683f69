/** Runs a config file by Node.js itself where that can: without a word on stderr, and with `ocibuild` at hand. */

import { existsSync, readFileSync } from 'node:fs'
import module from 'node:module'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { packageFile } from '../package-file.ts'

/** Node.js reads a file once in a process, so one that may have changed since is compiled, if it can be. */
const imported = new Set<string>()

/** Whether Node.js runs the file, and says nothing about it. */
export function runsNatively(path: string): boolean {
  const extension = extname(path)
  if (extension.endsWith('ts') && imported.has(path)) return false
  if (extension.endsWith('ts') && !Reflect.get(process.features, 'typescript')) return false
  if (extension !== '.ts' && extension !== '.js') return true
  const type = packageType(dirname(path))
  if (type === 'module') return true
  const source = readFileSync(path, 'utf8')
  if (!isModule(source)) return extension === '.js'
  // It would warn of ES modules whose package.json does not say so, unless it is told before.
  return type === undefined && registerHooks !== undefined && !usesCommonJs(source)
}

/** The module's exports. Throws what Node.js throws. */
export async function importNatively(path: string): Promise<unknown> {
  imported.add(path)
  const remove = addHooks()
  try {
    const exports: unknown = await import(pathToFileURL(path).href)
    return exports
  } finally {
    remove()
  }
}

/** From Node.js 22.15 on. */
const registerHooks: unknown = Reflect.get(module, 'registerHooks')

type Next = (word: string, context: object) => unknown

function addHooks(): () => void {
  if (typeof registerHooks !== 'function') return () => undefined
  const own = ownEntry()
  const hooks: unknown = Reflect.apply(registerHooks, module, [
    {
      // Run by npx, ocibuild is nowhere above the config file; and another copy would be read for nothing.
      resolve(specifier: string, context: object, next: Next): unknown {
        if (specifier !== 'ocibuild' || own === undefined) return next(specifier, context)
        return { url: own, format: 'module', shortCircuit: true }
      },
      load(url: string, context: object, next: Next): unknown {
        const format = formatOf(url, context)
        return next(url, format === undefined ? context : { ...context, format })
      },
    },
  ])
  const deregister: unknown =
    typeof hooks === 'object' && hooks !== null ? Reflect.get(hooks, 'deregister') : undefined
  return () => void (typeof deregister === 'function' && Reflect.apply(deregister, hooks, []))
}

/** What nobody says: Node.js would try it as CommonJS first, and warn. */
function formatOf(url: string, context: object): string | undefined {
  const known: unknown = Reflect.get(context, 'format')
  if (known !== null && known !== undefined) return undefined
  if (!/^file:.*\.[jt]s$/.test(url) || url.includes('/node_modules/')) return undefined
  const source = readFileSync(fileURLToPath(url), 'utf8')
  if (!isModule(source) || usesCommonJs(source)) return undefined
  return url.endsWith('.ts') ? 'module-typescript' : 'module'
}

function isModule(source: string): boolean {
  return /^\s*(?:import|export)\b/m.test(source)
}

/** ES modules that use these too are what compilers make work, and Node.js does not. */
function usesCommonJs(source: string): boolean {
  return /\b(?:__dirname|__filename|module\.exports|exports\.\w|require\s*\()/.test(source)
}

/** This very package, where it runs compiled. */
function ownEntry(): string | undefined {
  const entry = packageFile('dist/index.js')
  const isCompiled = import.meta.url.startsWith(new URL('.', entry).href)
  return isCompiled && existsSync(entry) ? entry.href : undefined
}

/** `type` of the nearest package.json at or above a folder. */
function packageType(folder: string): unknown {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const value: unknown = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'))
      return typeof value === 'object' && value !== null ? Reflect.get(value, 'type') : undefined
    } catch (error) {
      if (error instanceof SyntaxError || dirname(at) === at) return undefined
    }
  }
}
