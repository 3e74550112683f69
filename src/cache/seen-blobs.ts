/** In which repositories of which registries a blob was seen: a push can mount it from there. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeMemory } from '../content/atomic-file.ts'
import { splitDigest, type Digest } from '../spec/digest.ts'

/** Of one blob; more would be more failed mounts than one upload is worth. */
const maxRepositories = 8

export interface SeenBlobs {
  /** The latest first. */
  repositories(host: string, digest: Digest): readonly string[]
  remember(host: string, repository: string, digest: Digest): void
}

/** One small file a blob; a damaged one is taken as empty, and a repository whose name was cut has nothing to mount. */
export function openSeenBlobs(dir: string): SeenBlobs {
  const fileOf = (digest: Digest): string => join(dir, splitDigest(digest).encoded)
  const read = (digest: Digest): readonly string[] => {
    try {
      const lines = readFileSync(fileOf(digest), 'utf8').split('\n')
      return lines.filter((line) => /^[^\s/]+\/[^\s]+$/.test(line))
    } catch {
      return []
    }
  }
  return {
    repositories: (host, digest) =>
      read(digest).flatMap((line) => (line.startsWith(`${host}/`) ? line.slice(host.length + 1) : [])),
    remember(host, repository, digest) {
      const line = `${host}/${repository}`
      const known = read(digest)
      if (known[0] === line) return
      const lines = [line, ...known.filter((other) => other !== line)].slice(0, maxRepositories)
      writeMemory(fileOf(digest), `${lines.join('\n')}\n`)
    },
  }
}
