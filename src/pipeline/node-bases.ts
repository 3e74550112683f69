/** Images of Node.js projects before anything is resolved: what only their project tells. */

import { readPackageJson } from '../config/package-json.ts'
import type { ImageSpec, ResolvedSpec } from '../config/resolved-spec.ts'
import { parseReference } from '../spec/parse-reference.ts'
import type { Session } from './session.ts'

/**
 * Gives the images of Node.js projects what only their project tells: the base, where they name none, and the metadata
 * of their own package, where the config lies elsewhere.
 */
export async function chooseNodeBases(spec: ResolvedSpec, session: Session): Promise<ResolvedSpec> {
  if (spec.images.every(({ node }) => node === undefined)) return spec
  const images: ImageSpec[] = []
  for (const image of spec.images) images.push(await chooseNodeBase(image, spec.folder, session))
  return { ...spec, images }
}

async function chooseNodeBase(
  image: ImageSpec,
  configFolder: string,
  { environment }: Session,
): Promise<ImageSpec> {
  const { node, root, baseDefaulted } = image
  if (node === undefined) return image
  const isElsewhere = node.package !== undefined || root !== configFolder
  if (!isElsewhere && !baseDefaulted) return image
  const { detectProject } = await import('../node/project/detect-project.ts')
  const project = await detectProject(root, node.package)
  const described = isElsewhere ? image.describedBy(readPackageJson(project.folder)) : {}
  if (!baseDefaulted) return { ...image, ...described }
  const { chooseNodeBase: choose } = await import('../node/project/node-base.ts')
  const { reference } = await choose(project, environment.node.version)
  return { ...image, ...described, base: parseReference(reference, 'in'), baseText: reference }
}
