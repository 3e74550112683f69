/** What git knows of a work tree: what changed since a commit, and what it ignores. */

import { resolve } from 'node:path'
import { gitOutput as git } from '../config/git-info.ts'
import { OciBuildError } from '../errors.ts'

type Variables = Readonly<Record<string, string | undefined>>

export interface WorkTree {
  /** Absolute, links followed. */
  readonly root: string
  /**
   * Below `root`, with `/`: changed, added, deleted and untracked ones; a folder (a submodule, another repository)
   * ends with a slash.
   */
  readonly changed: readonly string[]
  /** What git ignores, below `root`; a folder that is ignored as a whole ends with a slash and stands for its tree. */
  readonly ignored: readonly string[]
  /** The text that a file (below `root`) had then; undefined where it was not there. */
  textThen(path: string): Promise<string | undefined>
}

/**
 * Compares the work tree around `folder` with a commit, as `git diff REF` does and with untracked files. Throws
 * `OCB-USAGE-AFFECTED-SINCE` where there is no such commit, no work tree or no git.
 */
export async function readWorkTree(folder: string, ref: string, variables: Variables): Promise<WorkTree> {
  const top = await git(folder, variables, ['rev-parse', '--show-toplevel'])
  if (top === undefined) {
    throw refuse(
      ref,
      `${folder} is in no work tree of git, or git is not installed`,
      'run it in a git checkout',
    )
  }
  // On Windows git writes its own slashes.
  const root = resolve(top.replace(/\r?\n$/, ''))
  const commit = await git(root, variables, [
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${ref}^{commit}`,
  ])
  if (commit === undefined || ref.startsWith('-')) {
    throw refuse(
      ref,
      'git knows no such commit',
      'name a commit, branch or tag that is here; in a shallow clone fetch it first, e.g. git fetch --depth=1 origin main',
    )
  }
  const id = commit.trim()
  const diff = [
    'diff',
    '--name-only',
    '-z',
    '--no-renames',
    '--no-ext-diff',
    '--ignore-submodules=none',
    id,
    '--',
  ]
  const others = ['ls-files', '-z', '--others', '--exclude-standard']
  const ignored = ['ls-files', '-z', '--others', '--ignored', '--exclude-standard', '--directory']
  const [tracked, untracked, hidden] = await Promise.all(
    [diff, others, ignored].map(async (args) => split(await git(root, variables, args), ref, args[0] ?? '')),
  )
  return {
    root,
    changed: Array.from(new Set([...(tracked ?? []), ...(untracked ?? [])])).sort(),
    ignored: hidden ?? [],
    textThen: (path) => git(root, variables, ['cat-file', 'blob', `${id}:${path}`]),
  }
}

function split(text: string | undefined, ref: string, command: string): readonly string[] {
  if (text === undefined) throw refuse(ref, `git ${command} failed`, 'run git status, and mend what it says')
  return text.split('\0').filter((path) => path !== '')
}

function refuse(ref: string, problem: string, hint: string): OciBuildError {
  return new OciBuildError('OCB-USAGE-AFFECTED-SINCE', {
    message: `cannot tell what changed since "${ref}": ${problem}`,
    hint,
  })
}
