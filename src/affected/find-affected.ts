/** Which images of a spec are made of something that changed since a commit, and what that is. */

import { join } from 'node:path'
import type { ImageSpec } from '../config/resolved-spec.ts'
import type { WorkTree } from './changed-paths.ts'
import { entryInputs } from './entry-inputs.ts'
import { concerns, pathBelow, realPath, type Input } from './input.ts'
import { madeInputs } from './made-inputs.ts'
import { packageInputs, projectAt } from './package-reach.ts'

export interface AffectedReason {
  /** Below the work tree's root, with `/`. */
  readonly path: string
  /** What of the image it is. */
  readonly because: string
}

/** More tell nobody anything. */
const maxReasons = 10

/**
 * The reasons why an image has to be built; none where nothing that it is made of changed. `shared` are inputs of
 * every image.
 */
export async function findReasons(
  spec: ImageSpec,
  tree: WorkTree,
  shared: readonly Input[],
): Promise<readonly AffectedReason[]> {
  const inputs = [...shared, ...(await inputsOf(spec, tree))]
  const elsewhere = inputs.find(
    ({ root, optional }) => optional !== true && pathBelow(tree.root, root) === undefined,
  )
  if (elsewhere !== undefined) {
    return [{ path: elsewhere.root, because: `${elsewhere.what}, of which git knows nothing` }]
  }
  const reasons: AffectedReason[] = []
  for (const path of tree.changed) {
    const changed = join(tree.root, path)
    const input = inputs.find((one) => concerns(one, changed))
    if (input !== undefined) reasons.push({ path, because: input.what })
    if (reasons.length === maxReasons) break
  }
  return reasons
}

async function inputsOf(spec: ImageSpec, tree: WorkTree): Promise<readonly Input[]> {
  const named = await entryInputs(spec)
  const made = await madeInputs(named, tree.ignored, tree.root)
  return [...named, ...made, ...(await nodeInputs(spec))]
}

async function nodeInputs({ node, root }: ImageSpec): Promise<readonly Input[]> {
  if (node === undefined) return []
  const project = await projectAt(root, node.package)
  // What is wrong with it is for the build to say.
  if (project === undefined) return [{ root: realPath(root), what: 'its Node.js project' }]
  return packageInputs(project, 'the app itself')
}
