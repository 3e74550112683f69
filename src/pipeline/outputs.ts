/** The places that a build writes to: known before it begins, opened when something goes there. */

import { existsSync, mkdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import type { ImageSpec, ResolvedSpec } from '../config/resolved-spec.ts'
import { writeFileAtomic } from '../content/atomic-file.ts'
import { openOutput, outputPlace, type Output, type OutputContext } from '../open-target.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { cachePlacesOf, type CachePlace } from './cache-manifest.ts'
import { parseCacheFrom } from './cache-sources.ts'
import { placesOf, type Place } from './output-places.ts'
import type { Session } from './session.ts'

export interface Outputs {
  placesOf(spec: ImageSpec): readonly Place[]
  /** Where a manifest of all layers goes. */
  readonly caches: readonly CachePlace[]
  /** Two images may go into one place: it is opened once. */
  open(place: Place, spec: ImageSpec): Promise<Output>
  /** Starts a finished layer on its way to those places of its image that are registries, or layouts. */
  sendAhead(spec: ImageSpec, layer: Descriptor, transport: 'docker' | 'oci'): Promise<void>
  /** Makes all that was added visible, place by place. */
  finish(): Promise<void>
}

/**
 * Finds what is wrong with the outputs before anything is run. What was not finished when the session ends is given up.
 * Throws `OCB-SPEC-NAME-HOST`, and for what caches name `OCB-USAGE-CACHE-FROM`, `OCB-USAGE-CACHE-TO`.
 */
export function prepareOutputs(resolved: ResolvedSpec, session: Session): Outputs {
  const { cwd } = session.environment
  const { signal } = session.options
  const places = new Map(resolved.images.map((spec) => [spec, placesOf(spec, session)]))
  parseCacheFrom(session.options.cacheFrom ?? [])
  const caches = cachePlacesOf(resolved, (spec) => places.get(spec) ?? [], session)
  const opened = new Map<string, Promise<Output>>()
  const open = (place: Place, spec: ImageSpec): Promise<Output> => {
    const key = outputPlace(place, cwd)
    let output = opened.get(key)
    if (output === undefined) {
      if ('path' in place && place.path !== '-') keepOutOfGit(key)
      output = openOutput(place, outputContext(spec, session))
      opened.set(key, output)
    }
    return output
  }
  session.atEnd(async () => {
    for (const output of await Promise.allSettled(opened.values())) {
      if (output.status === 'fulfilled') await output.value.abort()
    }
  })
  return {
    placesOf: (spec) => places.get(spec) ?? [],
    caches,
    open,
    async sendAhead(spec, layer, transport) {
      for (const place of places.get(spec) ?? []) {
        if (place.transport !== transport) continue
        const output = await open(place, spec)
        output.sendAhead?.(session.staging, layer, { signal })
      }
    },
    async finish() {
      for (const output of opened.values()) await (await output).finish({ signal })
    },
  }
}

function outputContext(spec: ImageSpec, session: Session): OutputContext {
  const { environment, options, registries } = session
  return {
    cwd: environment.cwd,
    environment,
    stdout: options.stdout instanceof Writable ? options.stdout : undefined,
    openRegistries: () => registries.context(),
    mountFrom: spec.base.transport === 'docker' ? [spec.base.repository] : [],
  }
}

/** `.ocibuild` is ours: what lies in it never belongs into git. */
function keepOutOfGit(path: string): void {
  const folder = dirname(path)
  if (basename(folder) !== '.ocibuild') return
  const ignore = join(folder, '.gitignore')
  if (existsSync(ignore)) return
  mkdirSync(folder, { recursive: true })
  writeFileAtomic(ignore, '*\n')
}
