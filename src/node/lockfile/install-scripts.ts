/** Packages that run something when they are installed: without an install nothing of it runs. */

import { isPlainObject } from '../../config/check-shape.ts'
import type { Reporter } from '../../events.ts'
import type { Project } from '../project/detect-project.ts'
import type { LockedInstall } from './locked-install.ts'
import { packedKey } from './package-store.ts'
import type { PackedPackage } from './packed-package.ts'
import { labelOf } from './tarball-source.ts'
import type { LockedArchive } from './locked-tree.ts'

const names = ['preinstall', 'install', 'postinstall'] as const

/** What compiles a package, or fetches what was compiled elsewhere. */
const compilers = /\b(?:node-gyp(?!-build)|prebuild(?:-install)?|node-pre-gyp|cmake-js|napi build)\b/

/** The packages with scripts, as `name@version`, the project's own first; warns `OCB-NODE-INSTALL-SCRIPTS` of all at once. */
export function tellInstallScripts(
  { manifest, rootManifest }: Project,
  archives: readonly LockedArchive[],
  { file, packed }: Pick<LockedInstall, 'file' | 'packed'>,
  reporter: Reporter,
): readonly string[] {
  const own = [rootManifest, manifest].flatMap(({ name = 'the project', scripts }) => {
    const script = names.find((item) => scripts[item] !== undefined)
    return script === undefined ? [] : `${name} itself (${script})`
  })
  const others: string[] = []
  const unmade: string[] = []
  for (const archive of archives) {
    const found = packed.get(packedKey(archive))
    const scripts = found && installScripts(found)
    if (found === undefined || scripts === undefined) continue
    others.push(labelOf(archive))
    const holdsProgram = found.members.some(({ path }) => path.endsWith('.node'))
    if (compilers.test(scripts) && !holdsProgram) unmade.push(labelOf(archive))
  }
  const all = [...new Set(own), ...[...new Set(others)].sort()]
  if (all.length > 0) {
    const which = all.length === 1 ? 'a package has' : `${all.length} packages have`
    const lacking = [...new Set(unmade)].sort().join(', ')
    reporter.warn(
      'OCB-NODE-INSTALL-SCRIPTS',
      `${which} install scripts, which nobody runs when dependencies come from ${file}: ${all.join(', ')}${lacking === '' ? '' : `; those of ${lacking} make native code, without which it cannot be loaded`}`,
      "see that the app runs without what they make; where it does not, install on the image's platform and leave out node.dependencies: 'lockfile'",
    )
  }
  return all
}

/** What runs when the package is installed, as one text; undefined where nothing does. */
function installScripts(packed: PackedPackage): string | undefined {
  const member = packed.members.findLast(({ path }) => path === 'package.json')
  if (member === undefined) return undefined
  let words: unknown
  try {
    words = JSON.parse(
      packed
        .read(member)
        .toString('utf8')
        .replace(/^\uFEFF/, ''),
    )
  } catch {
    // Package managers refuse it when it is installed; here nothing needs it.
    return undefined
  }
  const scripts = isPlainObject(words) ? words['scripts'] : undefined
  const texts = names.flatMap((name) => {
    const text = isPlainObject(scripts) ? scripts[name] : undefined
    return typeof text === 'string' && text !== '' ? text : []
  })
  // npm and pnpm compile what has such a file (docs.npmjs.com, scripts).
  const isCompiled = packed.members.some(({ path }) => path === 'binding.gyp')
  if (texts.length === 0) return isCompiled ? 'node-gyp rebuild' : undefined
  return texts.join(' && ')
}
