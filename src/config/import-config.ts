/** Runs a config file that is a program: natively where Node.js can, else by jiti. */

import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { messageOf, OciBuildError, systemErrorCode } from '../errors.ts'
import { defineConfig, semverTags } from './define-config.ts'
import { importNatively, runsNatively } from './native-import.ts'
import { plainTypeScript } from './plain-typescript.ts'

/** What Node.js says where jiti can still help: syntax it does not strip, names without extension, `ocibuild` itself not installed there. */
const loaderCodes = new Set([
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
  'ERR_UNSUPPORTED_DIR_IMPORT',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_INVALID_TYPESCRIPT_SYNTAX',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
  'ERR_PACKAGE_IMPORT_NOT_DEFINED',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_REQUIRE_ESM',
  'ERR_REQUIRE_CYCLE_MODULE',
  'ERR_AMBIGUOUS_MODULE_SYNTAX',
])

/**
 * The default export of a TypeScript or JavaScript file. What is compiled for it is kept in `compiledDir`, if there
 * is one. Throws `OCB-SPEC-LOAD`.
 */
export async function importConfig(path: string, compiledDir: string | undefined): Promise<unknown> {
  const isTypeScript = /\.[cm]?ts$/.test(path)
  let nativeError: unknown
  if (runsNatively(path)) {
    try {
      return defaultExport(await importNatively(path), path)
    } catch (error) {
      if (error instanceof OciBuildError) throw error
      const isSyntax = error instanceof SyntaxError
      if (!isSyntax && !loaderCodes.has(systemErrorCode(error) ?? '')) throw failed(path, error)
      nativeError = error
    }
  }
  const ocibuild = { defineConfig, semverTags }
  try {
    const plain = isTypeScript ? plainTypeScript(readFileSync(path, 'utf8'), path, { ocibuild }) : undefined
    if (plain !== undefined) return defaultExport({ default: await plain() }, path)
    const { createJiti } = await import('jiti')
    const jiti = createJiti(pathToFileURL(path).href, {
      interopDefault: false,
      moduleCache: false,
      // By default jiti writes into node_modules, which is then part of what an image copies.
      fsCache: compiledDir ?? false,
      // Run by npx, ocibuild is nowhere above the config file: it gets what a config file needs of it.
      virtualModules: { ocibuild },
    })
    const module: unknown = await jiti.import(path)
    const isCommonJs = typeof module !== 'object' || module === null || !('__esModule' in module)
    return defaultExport(isCommonJs ? { default: module } : module, path)
  } catch (error) {
    if (error instanceof OciBuildError) throw error
    // For JavaScript Node's own words are the better ones.
    throw failed(path, isTypeScript ? error : (nativeError ?? error))
  }
}

function defaultExport(module: unknown, path: string): unknown {
  let value: unknown =
    typeof module === 'object' && module !== null ? Reflect.get(module, 'default') : undefined
  // TypeScript and Babel compile `export default` to CommonJS as `exports.default`.
  if (typeof value === 'object' && value !== null && Reflect.get(value, '__esModule') === true) {
    value = Reflect.get(value, 'default')
  }
  if (value !== undefined) return value
  throw new OciBuildError('OCB-SPEC-LOAD', {
    message: `${path} has no default export; wanted a spec or a function that returns one`,
    hint: 'write export default defineConfig({ … })',
  })
}

function failed(path: string, error: unknown): OciBuildError {
  return new OciBuildError('OCB-SPEC-LOAD', {
    message: `cannot run ${path}: ${messageOf(error)}`,
    hint: 'run the file by itself with node to see more, or fix what it says',
    cause: error,
  })
}
