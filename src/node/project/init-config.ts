/** The config that `ocibuild init` writes for a Node.js project: what was found, in words that build the same. */

import { basename, sep } from 'node:path'
import { formatConfig, type ConfigFormat, type Line } from '../../config/config-text.ts'
import { repositoryOfPackage, sanitiseName } from '../../config/package-json.ts'
import { initHead, nameLine, outputsLine, platformsLine, tagsLine } from '../../config/render-init.ts'
import { hostPlatform } from '../../config/resolve-image.ts'
import type { Environment } from '../../environment.ts'
import { describeProject, type ProjectDescription } from './describe-project.ts'
import type { Project } from './detect-project.ts'
import { findApps, type App } from './find-apps.ts'

/** The text of the config file. Throws `OCB-NODE-ENGINES` for a range that is none. */
export async function renderProjectInit(
  project: Project,
  environment: Environment,
  format: ConfigFormat,
): Promise<string> {
  const apps = project.path === '' && project.workspaces.length > 0 ? findApps(project) : []
  const lines =
    apps.length > 0
      ? await monorepoLines(project, apps, environment)
      : await packageLines(project, environment)
  return formatConfig(initHead, lines, format)
}

async function packageLines(project: Project, environment: Environment): Promise<readonly Line[]> {
  const found = await describeProject(project, hostPlatform(environment), environment)
  const { manifest, folder } = project
  const name = repositoryOfPackage(manifest.name) ?? sanitiseName(basename(folder)) ?? 'image'
  return [
    nameLine(name),
    tagsLine,
    baseLine(found),
    platformsLine(environment),
    ...prepareLine(project, [found]),
    {
      comment: [...whatWasFound(found, project.root), ...nodeHint],
      key: 'node',
      value: true,
    },
    {
      comment: ['What is set here wins over what was found. `layers` would come on top.'],
      key: 'config',
      value: { env: { NODE_ENV: 'production' }, exposedPorts: [3000] },
      off: true,
    },
    outputsLine('oci:.ocibuild/image'),
  ]
}

const nodeHint: readonly string[] = [
  'In place of true: an object with entry, include, exclude, allow, writable, workingDir, init.',
]

/** All images share what most of them want; a base of its own stands with its image. */
async function monorepoLines(
  root: Project,
  apps: readonly App[],
  environment: Environment,
): Promise<readonly Line[]> {
  const platform = hostPlatform(environment)
  const found: (readonly [App, ProjectDescription])[] = []
  for (const app of apps) found.push([app, await describeProject(app.project, platform, environment)])
  const base = mostFrequent(
    found.map(
      ([
        ,
        {
          base: { reference },
        },
      ]) => reference,
    ),
  )
  const common = found.find(([, description]) => description.base.reference === base)?.[1]
  const defaults: readonly Line[] = [
    tagsLine,
    ...(common === undefined ? [] : [baseLine(common)]),
    platformsLine(environment),
    {
      comment: [
        'With these two a digest moves with content alone, and not with every commit of the monorepo.',
      ],
      key: 'created',
      value: 'epoch',
    },
    { comment: [], key: 'metadata', value: 'package' },
  ]
  const images = found.map(([app, description]): Line => {
    const own = description.base.reference === base ? [] : [baseLine(description)]
    const node: Line = { comment: [], key: 'node', value: app.path === '' ? true : { package: app.path } }
    return {
      comment: whatWasFound(description, app.project.root),
      key: app.image,
      lines: [nameLine(app.image), ...own, node],
    }
  })
  return [
    ...prepareLine(
      root,
      found.map(([, description]) => description),
    ),
    { comment: ['What all images share.'], key: 'defaults', lines: defaults },
    {
      comment: [
        'One image for each package that is started; `ocibuild build NAME` builds one of them.',
        ...nodeHint.map((line) => line.replace('In place of true: an', 'Beside package the')),
      ],
      key: 'images',
      lines: images.map((line, index) => (index === 0 ? line : withoutWords(line))),
    },
  ]
}

/** What was said of the first is not said again. */
function withoutWords(line: Line): Line {
  return {
    ...line,
    lines: line.lines?.map((inner) => (inner.key === 'name' ? { ...inner, comment: [] } : inner)),
  }
}

function baseLine({ base: { reference, reason } }: ProjectDescription): Line {
  const comment = [`The base (${reason}). host:node is the Node.js that runs ocibuild: it needs no registry.`]
  return { comment, key: 'base', value: reference }
}

/** A build that is yet to run is run; another is left to whoever ran it, since not every tool builds the same twice. */
function prepareLine({ manifest, manager }: Project, found: readonly ProjectDescription[]): readonly Line[] {
  if (manifest.scripts['build'] === undefined) return []
  return [
    {
      comment: ['Run before files are read; `ocibuild plan` does not run it.'],
      key: 'prepare',
      value: [`${manager.name} run build`],
      off: !found.some(({ problem }) => problem?.code === 'OCB-NODE-NOT-BUILT'),
    },
  ]
}

/** Without this machine's paths: the file is for everybody. */
function whatWasFound({ decisions, problem }: ProjectDescription, root: string): readonly string[] {
  if (problem === undefined) {
    return ['What was found, as `ocibuild plan` says it:', ...decisions.map((decision) => `  ${decision}`)]
  }
  const words = [problem.message, ...(problem.hint === undefined ? [] : [problem.hint])]
  const local = words.map((line) => line.replaceAll(`${root}${sep}`, '').replaceAll(root, 'this folder'))
  return ['This does not build yet:', ...local.map((line) => `  ${line}`)]
}

function mostFrequent(words: readonly string[]): string | undefined {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0]
}
