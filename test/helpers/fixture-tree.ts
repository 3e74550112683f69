/** A project of every kind of file, the same each time it is made: the times, modes and links may be asked to differ. */

import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  lutimesSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

export interface FixtureOptions {
  /** Default 1. */
  readonly seed?: number | undefined
  /** Whether files of two names share an inode, or are two files. Default: they share. */
  readonly hardLinks?: 'linked' | 'copied' | undefined
}

export interface Random {
  /** A whole number below `bound`. */
  below(bound: number): number
  bytes(length: number): Buffer
  /** Words, which compress as prose does. */
  text(length: number): string
}

/** Numbers that look like chance and are not (xorshift32). */
export function createRandom(seed: number): Random {
  let state = (seed * 0x9e3779b1) >>> 0 || 1
  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>>= 0)
  }
  const random: Random = {
    below: (bound) => next() % bound,
    bytes: (length) => {
      const buffer = Buffer.alloc(length + 4)
      for (let at = 0; at < length; at += 4) buffer.writeUInt32LE(next(), at)
      return buffer.subarray(0, length)
    },
    text: (length) => {
      let text = ''
      while (text.length < length)
        text += `${words[Math.min(next() % 40, next() % 40)]}${next() % 12 ? ' ' : ';\n'}`
      return text.slice(0, length)
    },
  }
  return random
}

const words = Array.from({ length: 40 }, (_, i) => (i * 7919 + 104_729).toString(36).repeat(1 + (i % 3)))

/** Names that a shell, a tar or a JSON writer could stumble over. */
export const oddNames: readonly string[] = [
  'with space',
  ' leading and trailing ',
  'quote"and\'quote',
  'back\\slash',
  'new\nline',
  'tab\there',
  'star*[a]{b}?',
  '-rf',
  '--checkpoint=1',
  '@scope',
  '#hash%20',
  '.hidden',
  '...',
  'ümläut',
  'e\u0301 decomposed',
  '日本語.txt',
  '\u{1F600}.md',
  'z\u00df\u0130ı',
  // What decoders write for bytes that they cannot read is a name like others.
  '\ufffd',
  'A',
  'a',
  'B',
  '_',
  '~',
  `${'n'.repeat(99)}1`,
  `${'n'.repeat(100)}12`,
  `${'é'.repeat(127)}`,
]

/** Makes the tree below `root` (made when it is missing) and gives it back. */
export function writeFixture(root: string, options: FixtureOptions = {}): string {
  const random = createRandom(options.seed ?? 1)
  const write = (path: string, content: string | Uint8Array, executable = false): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
    // As a shell's chmod +x would: the umask decides who else may.
    if (executable) chmodSync(join(root, path), (process.umask() ^ 0o777) & 0o777)
  }
  write('package.json', JSON.stringify({ name: 'fixture', version: '1.2.3', description: 'Every kind' }))
  for (let i = 0; i < 160; i += 1) {
    const extension = ['js', 'js.map', 'd.ts', 'json', 'md'][random.below(5)] ?? 'js'
    const path = `lib/m${i % 13}/d${random.below(6)}/file${i}.${extension}`
    write(path, random.text(random.below(6000)))
  }
  for (const name of oddNames) write(`odd/${name}`, `${name}\n`)
  write(`odd/deep/${'long-folder-name/'.repeat(18)}leaf`, 'over 255 bytes of path')
  for (let i = 0; i < 6; i += 1) write(`bin/tool${i}`, `#!/bin/sh\n${random.text(300)}`, i % 2 === 0)
  write('data/empty', '')
  write('data/binary', random.bytes(300_001))
  // Over 1 MiB, at a block's edge and off it.
  write('data/large-noise', random.bytes(1024 * 1024 + 4097))
  write('data/large-text', random.text(1_700_000))
  write('data/one-mebibyte', random.bytes(1024 * 1024))
  write('data/zeros', Buffer.alloc(2 * 1024 * 1024))
  for (const folder of ['empty', 'empty/inner', 'odd/empty ünicode']) {
    mkdirSync(join(root, folder), { recursive: true })
  }
  mkdirSync(join(root, 'links'))
  symlinkSync('../lib/m1', join(root, 'links/folder'))
  symlinkSync('missing', join(root, 'links/dangling'))
  symlinkSync('/etc/passwd', join(root, 'links/absolute'))
  symlinkSync(`${'x/'.repeat(70)}far`, join(root, 'links/long target'))
  symlinkSync('../odd/日本語.txt', join(root, 'links/日本'))
  write('twins/first', random.text(9000))
  for (const name of ['second', 'a-third']) {
    const twin = join(root, 'twins', name)
    if (options.hardLinks === 'copied') copyFileSync(join(root, 'twins/first'), twin)
    else linkSync(join(root, 'twins/first'), twin)
  }
  return root
}

/** Gives everything below a folder other times, each its own. */
export function shuffleTimes(root: string, seed = 7): void {
  const random = createRandom(seed)
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const seconds = random.below(2_000_000_000)
    lutimesSync(join(root, name), seconds, seconds)
  }
}
