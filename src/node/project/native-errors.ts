/** What is said of a native file that cannot load: the package, what was found, what is wanted, what mends it. */

import { OciBuildError } from '../../errors.ts'
import { formatPlatform } from '../../spec/platform.ts'
import { majorOfModules } from '../node-abi.ts'
import type { DependencyClosure } from './dependency-closure.ts'
import type { Lack, NativeBase, NativeFile } from './native-lack.ts'
import { cpuOf, isNamedFor, type NativeTarget } from './native-platform.ts'
import type { PackageManager } from './package-manager.ts'

/** `way`: how a dependency comes to run on another system. */
export function wrongPlatform(
  file: NativeFile,
  base: NativeBase,
  manager: PackageManager,
  way: 'compile' | 'install',
): OciBuildError {
  const { owner, path, header } = file
  const found = words(header.os, header.cpus.join(' and '), header.libc)
  const wanted = words(base.platform.os, cpuOf(base.platform), base.libc)
  const { isDependency, name } = owner
  const system = [formatPlatform(base.platform), base.libc]
    .filter((word) => word !== undefined)
    .join(' with ')
  // What was made on this machine runs on it.
  const isOwn = header.os === 'linux' && !header.cpus.includes(cpuOf(base.platform))
  const other = isOwn ? ", or build for this host's platform" : ''
  const mend =
    way === 'compile' || !isDependency
      ? `${isDependency ? `run ${rebuild(manager, name)}` : 'build it'} on ${system}${other}`
      : name === '@prisma/client'
        ? prismaTarget(base)
        : installFor(manager, base)
  return failed(
    `${name}: ${path} is for ${found}; wanted ${wanted}, which the base ${base.name} runs`,
    mend,
    file,
  )
}

export function wrongLack(
  file: NativeFile,
  lack: Lack,
  base: NativeBase,
  manager: PackageManager,
): OciBuildError {
  const { path, owner } = file
  const build = owner.isDependency ? rebuild(manager, owner.name) : 'its build'
  switch (lack.kind) {
    case 'abi': {
      const { modules, node } = lack
      const major = majorOfModules(modules)
      const own = major === undefined ? '' : ` of Node.js ${major}`
      const other = major === undefined ? 'another --base' : `--base node:${major}-slim`
      return failed(
        `${owner.name}: ${path} is for NODE_MODULE_VERSION ${modules}${own}; wanted ${node.modules}, which Node.js ${node.version} of the base ${base.name} loads`,
        `run ${build} with Node.js ${node.version.split('.')[0]}, or build with ${other}`,
        file,
      )
    }
    case 'version':
      return failed(
        `${owner.name}: ${path} needs ${lack.version} of ${lack.library}, and the base ${base.name} has ${lack.highest ?? 'none of it'}`,
        `build with a --base whose ${lack.library} is newer, or run ${build} on a system as old as the base`,
        file,
      )
    case 'library':
      return failed(
        `${owner.name}: ${path} needs ${lack.library}, which the base ${base.name} does not have`,
        `build with a --base that has ${lack.library}, or add it in layers`,
        file,
      )
  }
}

/**
 * Optional dependencies hold one platform's binary each: where others were installed and the target's was not, the
 * package that lists them could not start. Throws `OCB-NODE-NATIVE`.
 */
export function checkLeftOut(
  { leftOut }: Pick<DependencyClosure, 'leftOut'>,
  target: NativeTarget,
  manager: PackageManager,
): void {
  const others = leftOut.filter(({ manifest }) => manifest !== undefined)
  for (const { by, name } of others) {
    const wanted = (by.manifest?.optionalDependencies ?? []).filter((item) => isNamedFor(item, target))
    const missing = wanted.filter((item) => leftOut.some((out) => out.by === by && out.name === item))
    const [first] = missing
    if (first === undefined || missing.length < wanted.length) continue
    throw new OciBuildError('OCB-NODE-NATIVE', {
      message: `${by.name} is installed with ${name}, which is not for ${formatPlatform(target.platform)}; wanted ${first}`,
      hint: installFor(manager, target),
    })
  }
}

function failed(message: string, mend: string, { path, owner }: NativeFile): OciBuildError {
  const below = path.slice(owner.folder.length + 1)
  return new OciBuildError('OCB-NODE-NATIVE', {
    message,
    hint: `${mend}; where nothing loads it, allow it with node: { allow: ['${below}'] }`,
  })
}

function words(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(' ')
}

/** npm's works in any node_modules, and two of the others have none. */
function rebuild({ name: manager }: PackageManager, name: string): string {
  return `${manager === 'pnpm' ? 'pnpm' : 'npm'} rebuild ${name}`
}

/** prisma.io/docs, binaryTargets. */
function prismaTarget({ platform, libc }: NativeTarget): string {
  const cpu = platform.architecture === 'arm64' ? 'arm64' : undefined
  const glibc = cpu === undefined ? 'debian' : 'linux-arm64'
  const system = libc === 'musl' ? ['linux-musl', cpu].filter((part) => part !== undefined).join('-') : glibc
  return `set binaryTargets = ["native", "${system}-openssl-3.0.x"] in schema.prisma, and run npx prisma generate`
}

/** The command, or the words, by which each manager installs for another platform. */
function installFor({ name }: PackageManager, { platform, libc }: NativeTarget): string {
  const cpu = cpuOf(platform)
  const libcWords = libc === undefined ? '' : `, libc: [${libc}]`
  switch (name) {
    case 'npm':
      return `run npm install --os=${platform.os} --cpu=${cpu}${libc === undefined ? '' : ` --libc=${libc}`}`
    case 'bun':
      return `run bun install --os ${platform.os} --cpu ${cpu}`
    case 'pnpm':
      return `set supportedArchitectures: { os: [${platform.os}], cpu: [${cpu}]${libcWords} } for pnpm, and run pnpm install`
    case 'yarn':
      return `set supportedArchitectures: { os: [${platform.os}], cpu: [${cpu}]${libcWords} } in .yarnrc.yml, and run yarn install`
  }
}
