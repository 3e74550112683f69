/** How the app starts: one `node …` in place of npm and a shell, so that signals and exit codes are the program's own. */

import { OciBuildError } from '../../errors.ts'
import type { ClosurePackage } from './dependency-closure.ts'
import type { Project } from './detect-project.ts'
import { findEntry, isInside, notBuilt, resolveBin, resolveFile } from './entry-file.ts'
import { findFramework, type FrameworkOutput, type Standalone } from './frameworks.ts'
import { packageOf, parseNodeArguments } from './node-arguments.ts'
import { nothingHint, startHint } from './start-hint.ts'
import { parseScript, scriptRunBy } from './script-words.ts'

export interface StartCommand {
  /** `['node', 'server.js']`; relative to the app's folder. */
  readonly cmd: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Files below the package's folder that must ship. */
  readonly needed: readonly string[]
  /** What ships in place of the package's files and its dependencies. */
  readonly standalone: Standalone | undefined
  readonly port: number | undefined
  /** Below the app's folder. */
  readonly writable: readonly string[]
  /** What it was found by, for `plan`. */
  readonly reason: string
  /** The framework whose server ends on SIGTERM by itself. */
  readonly endsOnSignals: string | undefined
  /** Scripts that npm runs around it, and the image does not. */
  readonly notRun: readonly string[]
}

/** Programs of a package as they are reached from the app: looked up only when a script names one. */
export type FindBin = (
  command: string,
) => { readonly path: string; readonly package: ClosurePackage } | undefined

/** `next start -p ${PORT:-3000}` */
const portVariable =
  /^(.*\b(?:next|remix-serve|react-router-serve) .*?)\s(?:-p|--port)[= ]"?\$(?:PORT\b|\{PORT(?::?-\d+)?\})"?/

/** Commands of frameworks that start what they have built, or serve for development. */
const frameworkCommands = /^(?:next|nuxt|nuxi|nest|astro|vite|svelte-kit|remix-serve|react-router-serve)$/

/**
 * `entry` is the user's. Throws `OCB-NODE-START` for what cannot be turned into one command, `OCB-NODE-NOT-BUILT` and
 * `OCB-NODE-ENTRY-MISSING`.
 */
export function findStartCommand(
  project: Project,
  entry: string | undefined,
  findBin: FindBin,
): StartCommand {
  if (entry !== undefined) return runFile(project, entry, 'node.entry')
  const { scripts } = project.manifest
  if (scripts['start'] !== undefined) return fromScript(project, 'start', findBin)
  return fromFramework(project, findBin) ?? fromMain(project)
}

function fromScript(project: Project, first: string, findBin: FindBin): StartCommand {
  const { scripts } = project.manifest
  const env: Record<string, string> = {}
  const notRun: string[] = []
  let name = first
  for (let depth = 0; depth < 8; depth += 1) {
    // Their servers read PORT themselves.
    const script = (scripts[name] ?? '').replace(portVariable, '$1')
    const parsed = parseScript(script)
    if ('why' in parsed) throw cannotTurn(project, name, parsed.why)
    Object.assign(env, parsed.env)
    notRun.push(...[`pre${name}`, `post${name}`].filter((other) => scripts[other] !== undefined))
    const next = scriptRunBy(parsed.words)
    if (next === undefined || scripts[next] === undefined) {
      const [program = '', ...words] = parsed.words
      const reason = `scripts.${name} of package.json`
      const start = /^(?:.*\/)?node(?:\.exe)?$/.test(program)
        ? runNode(project, name, words, env, reason)
        : runProgram(project, name, [program, ...words], env, findBin)
      return { ...start, notRun }
    }
    name = next
  }
  throw cannotTurn(project, first, 'its scripts run one another without end')
}

function runNode(
  project: Project,
  name: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  reason: string,
): StartCommand {
  const { entry, preloads, envFiles } = parseNodeArguments(words)
  if (entry === undefined) throw cannotTurn(project, name, 'it names no file to run')
  const { devDependencies, dependencies, optionalDependencies, peerDependencies } = project.manifest
  const shipped = new Set([...dependencies, ...optionalDependencies, ...peerDependencies])
  const tool = preloads.map(packageOf).find((item) => item !== undefined && !shipped.has(item))
  if (tool !== undefined && devDependencies.includes(tool)) {
    throw cannotTurn(project, name, `it loads ${tool}, a devDependency, which is not in the image`)
  }
  const [envFile] = envFiles
  if (envFile !== undefined) {
    throw cannotTurn(project, name, `it reads ${envFile}, and files of variables are given to a container`)
  }
  const file = findEntry(project, entry)
  const local = preloads.filter((item) => item.startsWith('.'))
  const output = outputOf(project, file)
  if (output?.standalone !== undefined && local[0] !== undefined) {
    throw cannotTurn(project, name, `it loads ${local[0]}, which is not in the output of ${output.framework}`)
  }
  const needed = [file, ...local].map((path) => plain(path))
  const plainly = { ...nothing, cmd: ['node', ...words], env, needed, port: portOf(env), reason }
  if (output === undefined) return plainly
  const at = words.indexOf(entry)
  const cmd = output.standalone === undefined ? words : words.with(at, output.entry)
  return {
    ...plainly,
    ...placed(output),
    cmd: ['node', ...cmd],
    env: { ...output.env, ...env },
    port: portOf(env) ?? output.port,
    reason: `${reason}, the output of ${output.framework}`,
  }
}

/** The framework that has built a file, where that file is started by itself. */
function outputOf(project: Project, file: string): FrameworkOutput | undefined {
  const found = findFramework(project)
  if (found === undefined || 'missing' in found || found.bin !== undefined) return undefined
  return (found.program ?? found.entry) === file ? found : undefined
}

function placed({
  framework,
  standalone,
  writable,
  endsOnSignals,
}: FrameworkOutput): Pick<StartCommand, 'standalone' | 'writable' | 'endsOnSignals'> {
  return { standalone, writable, endsOnSignals: endsOnSignals === true ? framework : undefined }
}

function runProgram(
  project: Project,
  name: string,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  findBin: FindBin,
): StartCommand {
  const [program = '', ...rest] = words
  if (frameworkCommands.test(program)) {
    const found = fromFramework(project, findBin)
    if (found !== undefined) {
      const given = /(?:^| )(?:-p|--port)[= ](\d+)/.exec(rest.join(' '))?.[1]
      const port = given === undefined ? (portOf(env) ?? found.port) : Number(given)
      // The framework's own server takes the words of the script; what it has built does not.
      const server =
        /^(?:next|remix-serve|react-router-serve)$/.test(program) && found.standalone === undefined
      const own = server ? findBin(program) : undefined
      const cmd = own === undefined ? found.cmd : ['node', own.path, ...rest]
      const asked = given === undefined || own !== undefined ? {} : { PORT: given }
      return { ...found, cmd, env: { ...found.env, ...env, ...asked }, port }
    }
  }
  const bin = findBin(program)
  const reason = `scripts.${name} of package.json`
  if (bin !== undefined) {
    return { ...nothing, cmd: ['node', bin.path, ...rest], env, needed: [], port: portOf(env), reason }
  }
  const isFile =
    /[/.]/.test(program) && isInside(program) && resolveFile(project.folder, program) !== undefined
  if (isFile) throw cannotTurn(project, name, `${program} is a program of its own`)
  const isTool = project.manifest.devDependencies.some(
    (item) => item === program || item.endsWith(`/${program}`),
  )
  const why = isTool ? 'a devDependency, which is not in the image' : 'no program of a production dependency'
  throw cannotTurn(project, name, `${program} is ${why}`)
}

/** Undefined where no framework is known. Throws `OCB-NODE-NOT-BUILT`. */
function fromFramework(project: Project, findBin: FindBin): StartCommand | undefined {
  const found = findFramework(project)
  if (found === undefined) return undefined
  if ('missing' in found) throw notBuilt(project, found.missing, `${found.framework} app`)
  const { entry, program = entry, env, port, framework, advice } = found
  const cmd = frameworkCommand(found, findBin)
  if (cmd === undefined) return undefined
  return {
    ...nothing,
    cmd,
    env,
    needed: [program],
    port,
    ...placed(found),
    reason: [`the output of ${framework}`, advice].filter((text) => text !== undefined).join('; '),
  }
}

function frameworkCommand(
  { entry, bin: command }: FrameworkOutput,
  findBin: FindBin,
): readonly string[] | undefined {
  if (command === undefined) return ['node', entry]
  const [program = '', ...words] = command
  const bin = findBin(program)
  return bin && ['node', bin.path, ...words]
}

function fromMain(project: Project): StartCommand {
  const { main, bin } = project.manifest
  if (main !== undefined) return runFile(project, main, 'main of package.json')
  const [only, ...others] = Object.values(bin)
  if (only !== undefined && others.length === 0) return runFile(project, only, 'bin of package.json')
  const usual = ['server.js', 'index.js', 'index.mjs', 'app.js', 'main.js', 'dist/index.js', 'dist/server.js']
  const found = usual.find((file) => resolveFile(project.folder, file) !== undefined)
  if (found !== undefined) return runFile(project, found, 'its usual name')
  throw new OciBuildError('OCB-NODE-START', {
    message: `nothing says how ${project.folder} is started: package.json has no start script and no main, and there is none of ${usual.join(', ')}`,
    hint: nothingHint(project),
  })
}

const nothing = {
  standalone: undefined,
  port: undefined,
  writable: [],
  env: {},
  endsOnSignals: undefined,
  notRun: [],
} as const

function runFile(project: Project, text: string, reason: string): StartCommand {
  return runNode(project, 'start', [findEntry(project, text)], {}, reason)
}

/** The file that a command of a dependency is, from the app's folder: for a `FindBin`. */
export function binPath(
  project: Project,
  nodeModules: string,
  found: ClosurePackage,
  command: string,
): string | undefined {
  const bin = found.manifest?.bin[command]
  return bin === undefined ? undefined : resolveBin(project.folder, nodeModules, found, bin)
}

function portOf(env: Readonly<Record<string, string>>): number | undefined {
  const port = Number(env['PORT'])
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined
}

function plain(path: string): string {
  return path.replace(/^(?:\.\/)+/, '')
}

function cannotTurn(project: Project, name: string, why: string): OciBuildError {
  return new OciBuildError('OCB-NODE-START', {
    message: `scripts.${name} "${project.manifest.scripts[name] ?? ''}" cannot become one command of node: ${why}`,
    hint: startHint(project, name),
  })
}
