/** A framework's output that carries what it needs: the packages in it are a layer of their own below its code. */

import { join } from 'node:path'
import { createCopyFilter } from '../../plan/copy-filter.ts'
import { excludedBelow } from '../../plan/excluded-paths.ts'
import { compileGlobs } from '../../plan/glob-rules.ts'
import type { HiddenLog } from '../../plan/hidden-log.ts'
import { below } from '../../plan/image-path.ts'
import type { Rule } from '../../plan/rules.ts'
import { walkFolder, type Found } from '../../plan/walk-folder.ts'
import type { Standalone } from './frameworks.ts'
import { placeFiles, placeOwnDirectory, type ImageMap } from './place-project.ts'
import type { Part, ProjectQuestion } from './plan-project.ts'
import { refuseSecrets } from './secrets.ts'

/** Throws `OCB-NODE-SECRET`, and what `walkFolder` throws. */
export function placeStandalone(
  { project, words, excludedPaths }: ProjectQuestion,
  map: ImageMap,
  { parts }: Standalone,
  hidden: HiddenLog,
): { readonly parts: readonly Part[]; readonly decisions: readonly string[] } {
  const dependencies: Part['placements'][number][] = []
  const app: Part['placements'][number][] = []
  const exclude = compileGlobs(words.exclude, 'node.exclude', 'spec')
  for (const { from, to } of parts) {
    const found = findPart(project.folder, from, exclude, excludedPaths, hidden)
    const own = found.filter((item) => !isOfPackage(item))
    refuseSecrets(own, project.path, words.allow)
    const imageFolder = below(map.mount, to)
    const inPart = (items: readonly Found[]): readonly Found[] =>
      items.map((item) => ({ ...item, path: item.path.slice(from.length + 1) }))
    dependencies.push(...placeFiles(map, imageFolder, inPart(found.filter(isOfPackage))))
    app.push(placeOwnDirectory(imageFolder), ...placeFiles(map, imageFolder, inPart(own)))
  }
  return {
    parts: [
      { name: 'dependencies', placements: dependencies },
      { name: 'app', placements: app },
    ],
    decisions: [
      `dependencies: those that the build put beside its output (no other is needed)`,
      `app: ${parts.map(({ from }) => from).join(', ')} (all that the build's output needs)`,
    ],
  }
}

/** Paths and patterns are below the package's folder, as they are for its own files. */
function findPart(
  folder: string,
  from: string,
  exclude: readonly Rule[],
  excludedPaths: readonly string[],
  hidden: HiddenLog,
): readonly Found[] {
  const rules = { ignore: [], ignorePrefix: '', ignoredTop: undefined, exclude, include: undefined }
  const filter = createCopyFilter(rules, hidden)
  let state = filter?.top
  let path = ''
  for (const name of from.split('/')) {
    path = path === '' ? name : `${path}/${name}`
    if (filter === undefined || state === undefined) break
    const entered = filter.enter(path, state)
    if (entered.verdict === 'skip') return []
    state = entered.state
  }
  return walkFolder(join(folder, from), {
    excluded: excludedBelow(join(folder, from), excludedPaths),
    filter,
    followRoot: undefined,
    start: { path: from, state },
  })
}

function isOfPackage({ path }: Found): boolean {
  return path.split('/').includes('node_modules')
}
