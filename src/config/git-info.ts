/** What git says about a folder: asked of the git binary, and of the CI's variables where HEAD is detached. */

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { GitInfo } from './resolved-spec.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** What git was asked of a folder while other things are done. */
export interface AskedGit {
  /** Absolute. */
  readonly folder: string
  readonly info: Promise<GitInfo>
}

/** Begins to ask; whoever needs the answer waits for it. */
export function askGit(folder: string, variables: Variables): AskedGit {
  const info = readGitInfo(folder, variables)
  // Nobody may come to hear it, where something else fails first.
  info.catch(() => undefined)
  return { folder, info }
}

/** Every field is undefined outside a work tree, before the first commit, and where git is not installed. */
export async function readGitInfo(folder: string, variables: Variables): Promise<GitInfo> {
  if (!isInWorkTree(folder, variables)) return {}
  const git = (...args: string[]): Promise<string | undefined> => runGit(folder, variables, args)
  // Each process that is started costs as much as what it is asked, so three are asked for all.
  const [head, status, remote] = await Promise.all([
    git('log', '-1', '--no-show-signature', '--format=%H %ct%n%D', ...tagsOnly, 'HEAD'),
    git('status', '--porcelain=v2', '--branch', '--no-ahead-behind', '--untracked-files=no'),
    git('remote', 'get-url', 'origin'),
  ])
  const [first = '', decorations = ''] = head?.split('\n') ?? []
  const [commit, seconds] = first.split(' ')
  const origin = remote === undefined ? undefined : originAsHttps(remote)
  if (!commit || seconds === undefined) return origin === undefined ? {} : { origin }
  const branch = branchOf(status) ?? branchOfCi(variables)
  let tags = tagsIn(decorations)
  // Which of several versions is the latest is git's to say.
  if (tags.length > 1)
    tags = (await git('tag', '--points-at', 'HEAD', '--sort=-v:refname'))?.split('\n') ?? tags
  const tag = chooseTag(tags)
  return {
    commit,
    // Seven digits and never git's own choice, which depends on how many objects a clone holds.
    shortCommit: commit.slice(0, 7),
    branch,
    branchSlug: branch === undefined ? undefined : slug(branch),
    tag,
    version: tag === undefined ? undefined : versionOfTag(tag),
    dirty: status?.split('\n').some((line) => line !== '' && !line.startsWith('# ')),
    commitSeconds: Math.max(0, Number(seconds)),
    origin,
  }
}

const tagPrefix = 'refs/tags/'
/** Overrules what the user's configuration says of decorations. */
const tagsOnly = ['--decorate=full', `--decorate-refs=${tagPrefix}`]

/** Of `tag: refs/tags/v1, tag: refs/tags/v2`: no name of a ref holds a space. */
function tagsIn(decorations: string): readonly string[] {
  return decorations
    .split(', ')
    .flatMap((text) => (text.startsWith(`tag: ${tagPrefix}`) ? text.slice(5 + tagPrefix.length) : []))
}

/** Of the status; undefined where HEAD is detached. */
function branchOf(status: string | undefined): string | undefined {
  const name = /^# branch\.head (.+)$/m.exec(status ?? '')?.[1]
  return name === '(detached)' ? undefined : name
}

/** Asked of the disk first: without a repository there is nothing to start processes for. */
function isInWorkTree(folder: string, variables: Variables): boolean {
  if (variables['GIT_DIR'] !== undefined) return true
  for (let current = folder; ; current = dirname(current)) {
    if (existsSync(join(current, '.git'))) return true
    if (dirname(current) === current) return false
  }
}

/** A remote as https without user info, query and `.git`; undefined for a path of this machine. */
export function originAsHttps(remote: string): string | undefined {
  const text = remote.trim()
  const scp = /^(?:[^@/:\s]+@)?([\w.-]{2,}):(?!\/\/)(.+)$/.exec(text)
  const candidate = scp ? `ssh://${scp[1]}/${scp[2]?.replace(/^\/+/, '')}` : text
  if (!/^(?:https?|ssh|git|git\+ssh|git\+https):\/\//.test(candidate) || !URL.canParse(candidate))
    return undefined
  const url = new URL(candidate.replace(/^git\+/, ''))
  // A port of ssh or git says nothing about where https listens.
  const host = url.protocol.startsWith('http') ? url.host : url.hostname
  const path = url.pathname.replace(/\/+$/, '').replace(/\.git$/, '')
  return host === '' || path === '' ? undefined : `https://${host}${path}`
}

/** Lower case, what is neither letter nor digit as `-`, at most 63 long: fit for tags and host names. */
export function slug(branch: string): string {
  return branch
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '')
}

const semver = /(?:^|[/@-])v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)$/

/** `1.4.0` of `v1.4.0`, `app@1.4.0` and `app/v1.4.0`; undefined when the tag is no version. */
export function versionOfTag(tag: string): string | undefined {
  return semver.exec(tag)?.[1]
}

function chooseTag(tags: readonly string[]): string | undefined {
  return tags.find((tag) => versionOfTag(tag) !== undefined) ?? tags[0]
}

/** The branch that a CI builds: GitHub, GitLab and Woodpecker, Bitbucket, Azure, CircleCI, Travis, Buildkite, Drone, Jenkins, … */
function branchOfCi(variables: Variables): string | undefined {
  const isTag = variables['GITHUB_REF_TYPE'] === 'tag' || Boolean(variables['TRAVIS_TAG'])
  const names = [
    'GITHUB_HEAD_REF',
    ...(isTag ? [] : ['GITHUB_REF_NAME', 'TRAVIS_PULL_REQUEST_BRANCH', 'TRAVIS_BRANCH']),
    'CI_MERGE_REQUEST_SOURCE_BRANCH_NAME',
    'CI_COMMIT_BRANCH',
    'BITBUCKET_BRANCH',
    'SYSTEM_PULLREQUEST_SOURCEBRANCH',
    'BUILD_SOURCEBRANCH',
    'CIRCLE_BRANCH',
    'BUILDKITE_BRANCH',
    'DRONE_SOURCE_BRANCH',
    'DRONE_BRANCH',
    'APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH',
    'APPVEYOR_REPO_BRANCH',
    'SEMAPHORE_GIT_BRANCH',
    'CF_BRANCH',
    'VERCEL_GIT_COMMIT_REF',
    'CHANGE_BRANCH',
    'BRANCH_NAME',
    'GIT_BRANCH',
  ]
  for (const name of names) {
    const value = variables[name]
    if (!value || value.startsWith('refs/tags/') || value.startsWith('refs/pull/') || value === 'HEAD')
      continue
    return value.replace(/^refs\/heads\//, '').replace(/^origin\//, '')
  }
  return undefined
}

async function runGit(
  folder: string,
  variables: Variables,
  args: readonly string[],
): Promise<string | undefined> {
  return (await gitOutput(folder, variables, args))?.trim()
}

/** What git prints, as it is; undefined where it fails. */
export async function gitOutput(
  folder: string,
  variables: Variables,
  args: readonly string[],
): Promise<string | undefined> {
  const { execFile } = await import('node:child_process')
  // Optional locks would make a build write into the repository it only looks at.
  const env = { ...variables, LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' }
  const options = {
    cwd: folder,
    env,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    windowsHide: true,
  } as const
  return new Promise((resolve) => {
    execFile('git', args, options, (error, stdout) => resolve(error ? undefined : stdout))
  })
}
