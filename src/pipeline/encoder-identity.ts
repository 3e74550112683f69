/** Which encoder this process has: one that gives everybody's bytes, or one that must be told apart in cache keys. */

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Compression } from '../config/resolved-spec.ts'
import { writeFileAtomic } from '../content/atomic-file.ts'
import { sha256 } from '../content/hash.ts'
import { passesKnownAnswerTest } from '../content/known-answer.ts'
import { OciBuildError } from '../errors.ts'
import type { Session } from './session.ts'

/** What bytes of a compression must be told apart by; `''` where everybody's are the same. */
export type EncoderIdentity = (compression: Compression) => Promise<string>

type IdentityContext = Pick<Session, 'options' | 'environment' | 'cache' | 'reporter'>

/**
 * Gives `''` where the bytes are the same everywhere. A gzip whose bytes differ is warned of, and is
 * `OCB-ZLIB-DIFFERS` under `--frozen` (contract, section 5).
 */
export function createEncoderIdentity(session: IdentityContext): EncoderIdentity {
  const known = new Map<string, Promise<string>>()
  return (compression) => {
    const key = JSON.stringify(compression)
    const identity = known.get(key) ?? identify(compression, session)
    known.set(key, identity)
    return identity
  }
}

async function identify(compression: Compression, session: IdentityContext): Promise<string> {
  const { node } = session.environment
  if (compression.type === 'none') return ''
  if (compression.type === 'zstd') return `zstd ${node.zstd ?? 'none'}`
  if (await passesOnce(compression.level, session)) return ''
  const message = `this Node.js ${node.version} links zlib ${node.zlib}, whose gzip bytes differ from those of official builds: digests of gzip layers hold for this machine only`
  const hint = 'run ocibuild with an official build of Node.js where digests must agree between machines'
  if (session.options.frozen === true) throw new OciBuildError('OCB-ZLIB-DIFFERS', { message, hint })
  session.reporter.warn('OCB-ZLIB-DIFFERS', message, hint)
  return `zlib ${node.zlib} ${node.version}`
}

/** The test costs some milliseconds, and what it says of a binary stays: kept by the binary's stat and versions. */
async function passesOnce(level: number, session: IdentityContext): Promise<boolean> {
  const { node } = session.environment
  const { size, mtimeMs, ino } = statSync(node.execPath)
  const binary = sha256([node.execPath, node.version, node.zlib, size, mtimeMs, ino, level].join('\n'))
  const file = join(session.cache.factsDir, `gzip-${binary.slice('sha256:'.length, 31)}`)
  const known = readKnown(file)
  if (known !== undefined) return known
  const passes = await passesKnownAnswerTest(level)
  writeFileAtomic(file, passes ? 'passes' : 'differs')
  return passes
}

function readKnown(file: string): boolean | undefined {
  try {
    const text = readFileSync(file, 'utf8')
    return text === 'passes' ? true : text === 'differs' ? false : undefined
  } catch {
    return undefined
  }
}
