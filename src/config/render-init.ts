/** The config that `ocibuild init` writes for a folder without a package.json: its files over nothing. */

import type { Environment } from '../environment.ts'
import { formatConfig, type ConfigFormat, type Line } from './config-text.ts'
import type { FolderFacts } from './inspect-folder.ts'
import { hostPlatform } from './resolve-image.ts'
import { formatPlatform } from '../spec/platform.ts'

/** What every config begins with: how it is used. */
export const initHead: readonly string[] = [
  'How ocibuild builds this folder into a container image: run `npx ocibuild`.',
  '`npx ocibuild plan` shows every file of every layer, where it comes from and why.',
]

/** It loads and checks as it stands. */
export function renderInit(
  { name, folders }: FolderFacts,
  environment: Pick<Environment, 'hostArchitecture'>,
  format: ConfigFormat,
): string {
  // A folder that says nothing: all of it, which .ociignore can cut down.
  const entries =
    folders.length === 0
      ? [{ copy: '.', to: '/srv' }]
      : folders.map((folder) => ({ copy: folder, to: `/srv/${folder}` }))
  const lines: readonly Line[] = [
    nameLine(name),
    tagsLine,
    {
      comment: ['Nothing below the layers; or an image, like nginx:1, oci:DIR, oci-archive:FILE.'],
      key: 'base',
      value: 'scratch',
    },
    platformsLine(environment),
    {
      comment: ['The first is the lowest. What changes least comes first, so that it stays cached.'],
      key: 'layers',
      value: [{ name: 'files', entries }],
    },
    outputsLine('oci:.ocibuild/image'),
  ]
  return formatConfig(initHead, lines, format)
}

/** The repository. */
export function nameLine(name: string): Line {
  const comment = ['Repository without tag. To push, put a host before it: registry.example.com/team/…']
  return { comment, key: 'name', value: name }
}

export const tagsLine: Line = {
  comment: ['A git tag or a version is a good tag too.'],
  key: 'tags',
  value: ['latest'],
}

/** This host's platform, named: unset, it would be whatever host builds. */
export function platformsLine(environment: Pick<Environment, 'hostArchitecture'>): Line {
  const own = formatPlatform(hostPlatform(environment))
  const other = own === 'linux/arm64' ? 'linux/amd64' : 'linux/arm64'
  const comment = [`What this machine runs. Several make an index: ['${own}', '${other}'].`]
  return { comment, key: 'platforms', value: [own] }
}

/** Where the image goes anyway. */
export function outputsLine(output: string): Line {
  const comment = [
    'Where it goes: an image layout. oci-archive:FILE and docker-archive:FILE write one file, registry pushes.',
  ]
  return { comment, key: 'outputs', value: [output], off: true }
}
