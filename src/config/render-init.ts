/** The config file that `ocibuild init` writes: one that fits the folder, with a word on every line. */

import type { FolderFacts } from './inspect-folder.ts'

export type InitFormat = 'ts' | 'yaml'

/** A line of the file: a comment, and under it a key with its value. */
interface Section {
  readonly comment: readonly string[]
  readonly key: string
  readonly value: Value
}
type Value = string | readonly Value[] | { readonly [key: string]: Value }

/** The text of `oci.config.ts` or `oci.config.yaml`; it loads and checks as it stands. */
export function renderInit(facts: FolderFacts, format: InitFormat): string {
  const sections = sectionsOf(facts)
  if (format === 'yaml') {
    const head = ['# How ocibuild builds this folder into a container image: run `npx ocibuild`.', '']
    return [...head, ...sections.flatMap((section) => yamlSection(section))].join('\n').trimEnd() + '\n'
  }
  const head = [
    "import { defineConfig } from 'ocibuild'",
    '',
    '// How ocibuild builds this folder into a container image: run `npx ocibuild`.',
    'export default defineConfig({',
  ]
  return [...head, ...sections.flatMap((section) => tsSection(section)), '})', ''].join('\n')
}

function sectionsOf(facts: FolderFacts): Section[] {
  const sections: Section[] = [
    {
      comment: ['Repository without tag. To push, put a host before it: registry.example.com/team/…'],
      key: 'name',
      value: facts.name,
    },
    { comment: ['A git tag or a version is a good tag too.'], key: 'tags', value: ['latest'] },
    baseSection(facts),
  ]
  if (facts.build !== undefined) {
    const comment = ['Run before files are read; `ocibuild plan` does not run it.']
    sections.push({ comment, key: 'prepare', value: [facts.build] })
  }
  sections.push({
    comment: ['The first is the lowest. What changes least comes first, so that it stays cached.'],
    key: 'layers',
    value: layersOf(facts),
  })
  const command = facts.start
  if (facts.hasPackageJson || command) {
    const config: Record<string, Value> = {
      workingDir: '/app',
      user: '1000:1000',
      env: { NODE_ENV: 'production' },
    }
    const comment = command
      ? ['What runs, as whom and where.']
      : ["What runs, as whom and where. Add the command: cmd: ['node', 'server.js']."]
    sections.push({ comment, key: 'config', value: command ? { cmd: command, ...config } : config })
  }
  sections.push({
    comment: ['An image layout; oci-archive:FILE and docker-archive:FILE write one file.'],
    key: 'outputs',
    value: ['oci:.ocibuild/image'],
  })
  return sections
}

function baseSection(facts: FolderFacts): Section {
  if (facts.hasPackageJson && facts.hostIsLinux) {
    const comment = [
      'The Node.js that runs ocibuild, with the libraries it needs; no registry is asked.',
      'Any other base goes here too: oci:DIR or oci-archive:FILE, and a registry’s node:22-slim.',
    ]
    return { comment, key: 'base', value: 'host:node' }
  }
  const comment = [
    'Nothing below the layers. Another base: oci:DIR, oci-archive:FILE, or a registry’s node:22-slim.',
  ]
  return { comment, key: 'base', value: 'scratch' }
}

function layersOf(facts: FolderFacts): Value[] {
  const layers: Value[] = []
  if (facts.hasDependencies) {
    layers.push({ name: 'dependencies', entries: [{ copy: 'node_modules', to: '/app/node_modules' }] })
  }
  if (facts.assets.length > 0) {
    const entries = facts.assets.map((name) => ({ copy: name, to: `/app/${name}` }))
    layers.push({ name: 'assets', entries })
  }
  const files = [...(facts.hasPackageJson ? ['package.json'] : []), ...facts.code]
  if (files.length > 0) layers.push({ name: 'app', entries: [{ copy: files, to: '/app' }] })
  // A folder that says nothing: all of it, which .ociignore can cut down.
  if (layers.length === 0) layers.push({ name: 'files', entries: [{ copy: '.', to: '/app' }] })
  return layers
}

function tsSection({ comment, key, value }: Section): string[] {
  return [...comment.map((line) => `  // ${line}`), `  ${key}: ${tsValue(value, '  ')},`]
}

function tsValue(value: Value, indent: string): string {
  if (typeof value === 'string') return quote(value)
  const inner = `${indent}  `
  if (isList(value)) {
    if (value.every((item) => typeof item === 'string'))
      return `[${value.map((item) => tsValue(item, '')).join(', ')}]`
    return `[\n${value.map((item) => `${inner}${tsValue(item, inner)},\n`).join('')}${indent}]`
  }
  const members = Object.entries(value)
  const flat = `{ ${members.map(([key, item]) => `${key}: ${tsValue(item, inner)}`).join(', ')} }`
  if (!flat.includes('\n') && flat.length + indent.length < 100) return flat
  return `{\n${members.map(([key, item]) => `${inner}${key}: ${tsValue(item, inner)},\n`).join('')}${indent}}`
}

function quote(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

function yamlSection({ comment, key, value }: Section): string[] {
  return [...comment.map((line) => `# ${line}`), ...yamlMember(key, value, ''), '']
}

function yamlMember(key: string, value: Value, indent: string): string[] {
  if (isFlat(value)) return [`${indent}${key}: ${yamlFlat(value)}`]
  if (isList(value)) return [`${indent}${key}:`, ...value.flatMap((item) => yamlItem(item, `${indent}  `))]
  return [
    `${indent}${key}:`,
    ...Object.entries(value).flatMap(([name, item]) => yamlMember(name, item, `${indent}  `)),
  ]
}

function yamlItem(item: Value, indent: string): string[] {
  if (isFlat(item) || isList(item)) return [`${indent}- ${yamlFlat(item)}`]
  const lines = Object.entries(item).flatMap(([name, value]) => yamlMember(name, value, `${indent}  `))
  return lines.map((line, index) => (index === 0 ? `${indent}- ${line.slice(indent.length + 2)}` : line))
}

function isFlat(value: Value): boolean {
  return typeof value === 'string' || (isList(value) && value.every((item) => typeof item === 'string'))
}

function yamlFlat(value: Value): string {
  if (isList(value)) return `[${value.map((item) => yamlFlat(item)).join(', ')}]`
  if (typeof value !== 'string') return JSON.stringify(value)
  const isPlain =
    /^[A-Za-z./][\w./@-]*(?::[\w./@-]+)*$/.test(value) && !/^(?:true|false|null|yes|no|on|off)$/i.test(value)
  return isPlain ? value : JSON.stringify(value)
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}
