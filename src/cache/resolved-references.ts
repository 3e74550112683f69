/** What a reference resolved to when it was last asked for: for building without a network. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../content/atomic-file.ts'
import { sha256 } from '../content/hash.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { encodeJson } from '../spec/json.ts'
import { parseDescriptor } from '../spec/parse-descriptor.ts'

export interface ResolvedReferences {
  lookup(reference: string): Descriptor | undefined
  remember(reference: string, target: Descriptor): void
}

export function openResolvedReferences(dir: string): ResolvedReferences {
  const fileOf = (reference: string): string => join(dir, sha256(reference).slice('sha256:'.length, 47))
  return {
    lookup(reference) {
      try {
        const value: unknown = JSON.parse(readFileSync(fileOf(reference), 'utf8'))
        return parseDescriptor(value, 'descriptor')
      } catch {
        return undefined
      }
    },
    remember: (reference, target) => writeFileAtomic(fileOf(reference), encodeJson(target)),
  }
}
