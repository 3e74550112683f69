/** The image that a command's REF names; without one, what the last build of this folder wrote. */

import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { openCacheFolder } from '../cache/cache-folder.ts'
import { defaultCacheDir, type Environment } from '../environment.ts'
import { OciBuildError } from '../errors.ts'
import { openSource, type ImageSource } from '../open-target.ts'
import { createRegistries } from '../pipeline/registries.ts'
import type { RegistryContext } from '../registry/registry-context.ts'
import { formatReference, parseReference } from '../spec/parse-reference.ts'
import type { Platform } from '../spec/platform.ts'
import type { Reference } from '../spec/reference.ts'
import { createCliReporter } from './cli-reporter.ts'
import type { CliContext } from './context.ts'

/** Where a build writes when nobody says where (contract, section 3). */
const defaultLayout = '.ocibuild/image'

export interface ImageArgument extends ImageSource {
  /** The reference as text. */
  readonly text: string
  /** Names of layers, remembered between runs. */
  readonly namesDir: string
}

/** Throws `OCB-USAGE-REFERENCE` when no REF was written and there is no default. */
export function readImageArgument(text: string | undefined, { cwd }: Environment): Reference {
  if (text !== undefined) return parseReference(text, 'in')
  if (existsSync(join(cwd, defaultLayout, 'index.json'))) return { transport: 'oci', path: defaultLayout }
  const several = layoutsIn(join(cwd, dirname(defaultLayout)))
  const [first] = several
  throw new OciBuildError('OCB-USAGE-REFERENCE', {
    message:
      first === undefined
        ? `no image is named, and ${cwd} has no ${defaultLayout}`
        : `no image is named; ${dirname(defaultLayout)} has ${several.join(' and ')}`,
    hint:
      first === undefined
        ? 'name one, e.g. oci:DIR, or run ocibuild first'
        : `name one of them: oci:${dirname(defaultLayout)}/${first}`,
  })
}

/** What a build of several images writes, by their names. */
function layoutsIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'index.json')))
    .toSorted()
}

/** Opens the image for as long as `use` takes. Throws what `openSource` and `use` throw. */
export async function withImage<T>(
  reference: Reference,
  context: CliContext,
  use: (image: ImageArgument) => Promise<T>,
): Promise<T> {
  const { environment, signal } = context
  const cacheDir = resolve(environment.cwd, defaultCacheDir(environment))
  // Looking at an image needs no cache: it only takes longer without.
  const fallbackDir = environment.tempDir
  const cache = openCacheFolder(cacheDir, { keep: true, nowMs: environment.wallClockMs(), fallbackDir })
  const registries = createRegistries(environment, createCliReporter(context), cache, false)
  try {
    const { cwd } = environment
    const openRegistries = (): Promise<RegistryContext> => registries.context()
    const spoolDir = cache.runDir
    const source = await openSource(reference, { cwd, spoolDir, environment, signal, openRegistries })
    return await use({ ...source, text: formatReference(reference), namesDir: cache.namesDir })
  } finally {
    await registries.close()
    cache.close()
  }
}

/** What containers of this host run on. */
export function hostImagePlatform({ hostArchitecture }: Environment): Platform {
  return { os: 'linux', architecture: hostArchitecture }
}
