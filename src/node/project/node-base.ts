/** Which Node.js a project wants: the base that has it, and whether a base that was named does. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { OciBuildError, systemErrorCode } from '../../errors.ts'
import { unreadable } from '../../plan/host-file.ts'
import type { Project } from './detect-project.ts'

export interface NodeBase {
  /** `node:22-slim` */
  readonly reference: string
  /** What it was chosen by, for `plan`. */
  readonly reason: string
}

/** `running` is the version of the Node.js that runs us. Throws `OCB-NODE-ENGINES` for a range that is none. */
export async function chooseNodeBase(project: Project, running: string): Promise<NodeBase> {
  const pinned = pinnedTag(project)
  if (pinned !== undefined) return { reference: `node:${pinned.tag}-slim`, reason: pinned.reason }
  const range = project.manifest.engines ?? project.rootManifest.engines
  const major = running.split('.')[0] ?? running
  if (range === undefined) {
    return { reference: `node:${major}-slim`, reason: `Node.js ${running} runs here, and no engines are set` }
  }
  const { default: semver } = await import('semver')
  if (semver.validRange(range) === null) throw noRange(range)
  // A tag of a major is its newest release.
  if (semver.satisfies(`${major}.9999.9999`, range)) {
    return { reference: `node:${major}-slim`, reason: `Node.js ${running} runs here, and engines allow it` }
  }
  const lowest = semver.minVersion(range)
  if (lowest === null) throw noRange(range)
  const tags = [`${lowest.major}`, `${lowest.major}.${lowest.minor}`]
  const tag = tags.find((text) =>
    semver.satisfies(`${text}${'.9999'.repeat(3 - text.split('.').length)}`, range),
  )
  return {
    reference: `node:${tag ?? lowest.version}-slim`,
    reason: `the lowest that engines "${range}" allow`,
  }
}

/**
 * Throws `OCB-NODE-ENGINES` where a base has a Node.js that `engines` do not allow. `versionOf` is asked only where
 * there are some, since it may read the base; it is undefined for a base that has none, or one that does not say.
 */
export async function checkEngines(
  project: Project,
  base: string,
  versionOf: () => Promise<string | undefined>,
): Promise<void> {
  const range = project.manifest.engines
  if (range === undefined) return
  const { default: semver } = await import('semver')
  if (semver.validRange(range) === null) throw noRange(range)
  const version = await versionOf()
  if (version === undefined) return
  if (semver.valid(version) === null || semver.satisfies(version, range, { includePrerelease: true })) return
  throw new OciBuildError('OCB-NODE-ENGINES', {
    message: `the base ${base} has Node.js ${version}, and engines.node of ${project.folder}/package.json is "${range}"`,
    hint: 'name a base with such a Node.js, or change engines.node',
  })
}

/** A version that somebody has written down: as far as it is written. */
function pinnedTag(project: Project): { readonly tag: string; readonly reason: string } | undefined {
  for (const folder of new Set([project.folder, project.root])) {
    for (const name of ['.nvmrc', '.node-version']) {
      const text = firstLine(join(folder, name))
      const tag = text === undefined ? undefined : tagOf(text)
      if (tag !== undefined) return { tag, reason: `${text} in ${name}` }
    }
  }
  for (const { devEngine } of [project.manifest, project.rootManifest]) {
    const tag = devEngine === undefined ? undefined : tagOf(devEngine)
    if (tag !== undefined) return { tag, reason: `${devEngine} in devEngines of package.json` }
  }
  return undefined
}

/** `v22.11.0`, `22`, `lts/jod` and `lts/*` are tags of the official image, too; a range and `node` name none. */
function tagOf(text: string): string | undefined {
  const version = /^v?(\d+(?:\.\d+){0,2})$/.exec(text)?.[1]
  if (version !== undefined) return version
  const codename = /^lts\/([a-z]+|\*)$/i.exec(text)?.[1]?.toLowerCase()
  return codename === '*' ? 'lts' : codename
}

function firstLine(path: string): string | undefined {
  try {
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.replace(/#.*/, '').trim())
    return lines.find((line) => line !== '')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(systemErrorCode(error) ?? '')) return undefined
    throw unreadable(path, error)
  }
}

function noRange(range: string): OciBuildError {
  return new OciBuildError('OCB-NODE-ENGINES', {
    message: `engines.node "${range}" is no range of versions`,
    hint: 'write it like ">=22" or "^22.11.0"',
  })
}
