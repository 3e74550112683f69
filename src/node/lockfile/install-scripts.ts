/** Packages that run something when they are installed: without an install nothing of it runs. */

import { isPlainObject } from '../../config/check-shape.ts'
import type { Reporter } from '../../events.ts'
import type { Project } from '../project/detect-project.ts'
import type { LockedInstall } from './locked-install.ts'
import { packedKey, type PackedPackages } from './package-store.ts'
import { labelOf } from './tarball-source.ts'
import type { LockedArchive } from './locked-tree.ts'

const names = ['preinstall', 'install', 'postinstall'] as const

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
  const others = archives.filter((archive) => hasScript(archive, packed)).map(labelOf)
  const found = [...new Set(own), ...[...new Set(others)].sort()]
  if (found.length > 0) {
    const which = found.length === 1 ? 'a package has' : `${found.length} packages have`
    reporter.warn(
      'OCB-NODE-INSTALL-SCRIPTS',
      `${which} install scripts, which nobody runs when dependencies come from ${file}: ${found.join(', ')}`,
      "see that the app runs without what they make; where it does not, install on the image's platform and leave out node.dependencies: 'lockfile'",
    )
  }
  return found
}

function hasScript(archive: LockedArchive, packed: PackedPackages): boolean {
  const found = packed.get(packedKey(archive))
  const member = found?.members.findLast(({ path }) => path === 'package.json')
  if (found === undefined || member === undefined) return false
  let words: unknown
  try {
    words = JSON.parse(
      found
        .read(member)
        .toString('utf8')
        .replace(/^\uFEFF/, ''),
    )
  } catch {
    // Package managers refuse it when it is installed; here nothing needs it.
    return false
  }
  const scripts = isPlainObject(words) ? words['scripts'] : undefined
  const own = isPlainObject(scripts) ? scripts : {}
  if (names.some((name) => typeof own[name] === 'string' && own[name] !== '')) return true
  // npm and pnpm compile what has such a file (docs.npmjs.com, scripts).
  return found.members.some(({ path }) => path === 'binding.gyp')
}
