/** What a base of layers gives to native files: read of its layers once, and remembered by their digests. */

import { sha256 } from '../content/hash.ts'
import { collectFiles } from '../rootfs/collect-files.ts'
import { keepFile, readKeptFile } from '../rootfs/kept-files.ts'
import { releaseOfVariable, type BaseRuntime } from './base-runtime.ts'
import { libraryRank, searchFolders } from './image-folders.ts'
import { modulesOf } from './node-abi.ts'
import { fileAt, openBase, type ImageQuestion, type OpenedBase } from './opened-base.ts'
import { readNodeRelease, type NodeRelease } from './program-version.ts'
import { libraryVersions } from './layer-libraries.ts'

/** What is kept for a library, or a Node.js, that the base does not have. */
const absent = 'absent'

export function imageBaseRuntime(question: ImageQuestion): BaseRuntime {
  const { memory, cacheDir, layers, env } = question
  const all = sha256(layers.map(({ digest }) => digest).join(' '))
  const answers = new Map<string, Promise<string>>()
  let opened: Promise<OpenedBase> | undefined
  const open = (): Promise<OpenedBase> => (opened ??= openBase(question))

  const find = async (words: string, read: (base: OpenedBase) => Promise<string>): Promise<string> => {
    const known = memory.get(words)
    if (known !== undefined) return known
    const place = `runtime/1/${words}`
    const kept = readKeptFile(cacheDir, all, place)
    const answer = kept === undefined ? await read(await open()) : Buffer.from(kept).toString('utf8')
    if (kept === undefined) keepFile(cacheDir, all, place, Buffer.from(answer))
    memory.keep(words, answer)
    return answer
  }
  const ask = (words: string, read: (base: OpenedBase) => Promise<string>): Promise<string> => {
    const answer = answers.get(words) ?? find(words, read)
    answers.set(words, answer)
    return answer
  }

  return {
    async libc() {
      const answer = await ask('libc', async ({ byName }) => libcOf([...byName.keys()]))
      return answer === 'glibc' || answer === 'musl' ? answer : undefined
    },
    async library(name) {
      const answer = await ask(name, (base) => readLibrary(question, base, name))
      return answer === absent ? undefined : answer
    },
    async node() {
      const told = releaseOfVariable(env)
      if (told?.modules !== undefined) return told
      const read = parseRelease(await ask('node', (base) => readNode(question, base)))
      return told === undefined ? read : { ...told, modules: read?.modules }
    },
  }
}

function libcOf(names: readonly string[]): string {
  const glibc = names.some((name) => /^(?:ld-linux.*\.so\.\d+|ld64\.so\.\d|libc\.so\.6)$/.test(name))
  const musl = names.some((name) => /^ld-musl-.*\.so\.1$/.test(name))
  return glibc && musl ? 'both' : glibc ? 'glibc' : musl ? 'musl' : absent
}

/** The one that the loader would come to first. */
async function readLibrary(question: ImageQuestion, base: OpenedBase, name: string): Promise<string> {
  const paths = [...(base.byName.get(name) ?? [])]
  const rank = libraryRank(question.platform, question.env)
  paths.sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1))
  for (const path of paths) {
    const node = fileAt(base, path)
    const summary = node && (await libraryVersions(question, base, node))
    if (summary !== undefined) return summary
  }
  return absent
}

/** The program that PATH leads to, else any that lies where programs lie. */
async function readNode(question: ImageQuestion, base: OpenedBase): Promise<string> {
  const { env, signal } = question
  const known = base.byName.get('node') ?? []
  const found = searchFolders(env).map((folder) => `${folder}/node`)
  const paths = [...found, ...known.filter((path) => /(?:^|\/)bin\/node$/.test(path))]
  for (const path of new Set(paths)) {
    const program = fileAt(base, path)
    if (program === undefined) continue
    // A distribution's program is small: its Node.js is a library.
    const library = [...base.byName.keys()].find((name) => /^libnode\.so\.\d+$/.test(name))
    const own = library === undefined ? undefined : fileAt(base, base.byName.get(library)?.[0] ?? '')
    for (const node of own === undefined ? [program] : [program, own]) {
      const read = await collectFiles(base.files, [node], readNodeRelease, { signal })
      const release = read.get(node.path)
      if (release !== undefined) return `${release.version} ${release.modules ?? ''}`.trim()
    }
  }
  return absent
}

function parseRelease(answer: string): NodeRelease | undefined {
  const [, version, modules] = /^(\d+\.\d+\.\d+\S*)(?: (\d+))?$/.exec(answer) ?? []
  if (version === undefined) return undefined
  return { version, modules: modules === undefined ? modulesOf(version) : Number(modules) }
}
