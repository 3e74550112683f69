/** The exact commands that run, load and push what a build wrote, by the kind of its first output. */

import type { ImageResult } from '../build-types.ts'

export interface NextCommand {
  /** One word: `run`, `load`, `push`, `look`. */
  readonly what: string
  readonly command: string
}

/** What one can type next, where `self` runs this tool; empty when the image went down a pipe. */
export function nextCommands(image: ImageResult, self: string): readonly NextCommand[] {
  for (const { ref } of image.outputs) {
    const commands = commandsFor(ref, image, self)
    if (commands.length > 0) return commands
  }
  return []
}

function commandsFor(output: string, image: ImageResult, self: string): readonly NextCommand[] {
  const match = /^(oci|oci-archive|docker-archive):((?:[A-Za-z]:[\\/])?[^:]*)(?::(.*))?$/.exec(output)
  if (match === null) return registryCommands(image, self)
  const [, transport, path = '', written] = match
  if (path === '-') return []
  const tag = image.tags[0] ?? 'latest'
  // An output that names a digest is found by its digest; its tags are there all the same.
  const ref = written === undefined || written.startsWith('@') ? tag : written
  const name = `${image.name}:${tag}`
  const target = hasHost(image.name) ? name : `REGISTRY/${name}`
  const file = shellWord(path)
  if (transport !== 'docker-archive') {
    const place = shellWord(`${transport}:${path}:${ref}`)
    return [
      { what: 'run', command: runCommand(path, place, name) },
      // `podman load` and `docker load` take no archive with several tags, and lose the name.
      { what: 'load', command: `skopeo copy ${place} docker-daemon:${name}` },
      { what: 'push', command: `${self} copy ${place} ${target}` },
      { what: 'look', command: `${self} inspect ${place}` },
    ]
  }
  return [
    { what: 'load', command: `docker load -i ${file}` },
    { what: 'run', command: `docker run --rm ${name}` },
    { what: 'push', command: `${self} copy ${shellWord(`docker-archive:${path}`)} ${target}` },
    { what: 'look', command: `${self} inspect ${shellWord(`docker-archive:${path}`)}` },
  ]
}

/** podman names an image by its path, and takes none with a part that begins with a dot. */
function runCommand(path: string, place: string, name: string): string {
  if (!/(?:^|\/)\.[^./]/.test(path)) return `podman run --rm ${place}`
  const local = hasHost(name) ? name : `localhost/${name}`
  return `skopeo copy ${place} containers-storage:${local} && podman run --rm ${local}`
}

function registryCommands(image: ImageResult, self: string): readonly NextCommand[] {
  const place = `${image.name}@${image.digest}`
  return [
    { what: 'run', command: `docker run --rm ${place}` },
    { what: 'look', command: `${self} inspect ${place}` },
  ]
}

/** Whether the first part of a name is a registry's host, by Docker's rule. */
function hasHost(name: string): boolean {
  const [first = '', ...rest] = name.split('/')
  return rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost')
}

function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
