/** A framework's output that carries what it needs: the packages in it are a layer of their own below its code. */

import { join } from 'node:path'
import { createCopyFilter } from '../../plan/copy-filter.ts'
import { excludedBelow } from '../../plan/excluded-paths.ts'
import { compileGlobs } from '../../plan/glob-rules.ts'
import type { HiddenLog } from '../../plan/hidden-log.ts'
import { below } from '../../plan/image-path.ts'
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
  for (const { from, to } of parts) {
    const folder = join(project.folder, from)
    const found = walkFolder(folder, {
      excluded: excludedBelow(folder, excludedPaths),
      filter: createCopyFilter(
        {
          ignore: [],
          ignorePrefix: '',
          ignoredTop: undefined,
          exclude: compileGlobs(words.exclude, 'node.exclude', 'spec'),
          include: undefined,
        },
        hidden,
      ),
      followRoot: undefined,
    })
    const own = found.filter((item) => !isOfPackage(item))
    const prefix = project.path === '' ? from : `${project.path}/${from}`
    refuseSecrets(own, prefix, words.allow)
    const imageFolder = below(map.mount, to)
    dependencies.push(...placeFiles(map, imageFolder, found.filter(isOfPackage)))
    app.push(placeOwnDirectory(imageFolder), ...placeFiles(map, imageFolder, own))
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

function isOfPackage({ path }: Found): boolean {
  return path.split('/').includes('node_modules')
}
