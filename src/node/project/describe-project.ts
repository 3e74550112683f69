/** What a project would become with nothing said about it: for the config that says it. */

import { parseReference } from '../../spec/parse-reference.ts'
import type { Platform } from '../../spec/platform.ts'
import { resolveNode } from '../../config/resolve-image.ts'
import type { Environment } from '../../environment.ts'
import { OciBuildError } from '../../errors.ts'
import { createReporter } from '../../events.ts'
import { plugAndPlay } from '../plug-and-play/pnp-dependencies.ts'
import { chooseUser } from './choose-user.ts'
import type { Project } from './detect-project.ts'
import { chooseNodeBase, type NodeBase } from './node-base.ts'
import { planProject } from './plan-project.ts'

export interface ProjectDescription {
  readonly base: NodeBase
  /** As `plan` gives them; empty where there is a `problem`. */
  readonly decisions: readonly string[]
  /** Why the project cannot be built as it stands. */
  readonly problem: OciBuildError | undefined
}

/** Reads the project as a build would, and no base. Throws `OCB-NODE-ENGINES` for a range that is none. */
export async function describeProject(
  project: Project,
  platform: Platform,
  environment: Environment,
): Promise<ProjectDescription> {
  const base = await chooseNodeBase(project, environment.node.version)
  const user = await chooseUser({
    wanted: undefined,
    ofBase: undefined,
    base: parseReference(base.reference, 'in'),
    lookup: async () => undefined,
  })
  try {
    const words = resolveNode(true)
    const target = { platform, libc: 'glibc' } as const
    const { decisions } = planProject({
      project,
      words,
      locked: project.isPlugAndPlay ? await plugAndPlay(project, target, words.workingDir) : undefined,
      config: {},
      compression: { type: 'gzip', level: 6 },
      user,
      target,
      excludedPaths: [],
      environment,
      reporter: createReporter(undefined, undefined, environment.now),
    })
    return { base, decisions, problem: undefined }
  } catch (error) {
    if (error instanceof OciBuildError) return { base, decisions: [], problem: error }
    throw error
  }
}
