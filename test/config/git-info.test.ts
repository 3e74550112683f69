/** What git says, asked of real repositories. */

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { originAsHttps, readGitInfo, slug, versionOfTag } from '../../src/config/git-info.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { environmentWith, folderWith } from './helpers.ts'

const identity = {
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@b',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@b',
}
const variables = { ...environmentWith().variables, GIT_CONFIG_NOSYSTEM: '1' }

function git(folder: string, ...args: string[]): string {
  const env = { ...variables, ...identity, GIT_COMMITTER_DATE: '1700000000 +0000' }
  return execFileSync('git', args, {
    cwd: folder,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()
}

function repository(): string {
  const folder = folderWith({ 'a.txt': 'a' })
  git(folder, 'init', '-q', '-b', 'feature/One_Two')
  git(folder, 'add', 'a.txt')
  git(folder, 'commit', '-q', '-m', 'one')
  return folder
}

describeWithPeers('git info', ['git'], () => {
  it('says commit, branch, tag, version and time', async () => {
    const folder = repository()
    git(folder, 'tag', 'latest-build')
    git(folder, 'tag', 'v1.4.0')
    git(folder, 'remote', 'add', 'origin', 'https://user:secret@git.example.com/team/app.git')
    const commit = git(folder, 'rev-parse', 'HEAD')
    expect(await readGitInfo(folder, variables)).toEqual({
      commit,
      shortCommit: commit.slice(0, 7),
      branch: 'feature/One_Two',
      branchSlug: 'feature-one-two',
      tag: 'v1.4.0',
      version: '1.4.0',
      dirty: false,
      commitSeconds: 1_700_000_000,
      origin: 'https://git.example.com/team/app',
    })
  })

  it('takes the highest version of several tags, whatever the user has git show', async () => {
    const folder = repository()
    for (const tag of ['v1.9.0', 'v1.10.0', 'zz']) git(folder, 'tag', '-a', '-m', tag, tag)
    git(folder, 'config', 'log.excludeDecoration', 'refs/tags/*')
    git(folder, 'config', 'log.decorate', 'short')
    git(folder, 'config', 'status.showStash', 'true')
    writeFileSync(join(folder, 'a.txt'), 'changed')
    git(folder, 'stash')
    expect(await readGitInfo(folder, variables)).toMatchObject({ tag: 'v1.10.0', dirty: false })
  })

  it('is dirty by tracked files only', async () => {
    const folder = repository()
    writeFileSync(join(folder, 'new.txt'), 'new')
    expect((await readGitInfo(folder, variables)).dirty).toBe(false)
    writeFileSync(join(folder, 'a.txt'), 'changed')
    expect((await readGitInfo(folder, variables)).dirty).toBe(true)
  })

  it.each([
    [{ GITHUB_REF_NAME: 'main', GITHUB_REF_TYPE: 'branch' }, 'main'],
    [{ GITHUB_HEAD_REF: 'fix/x', GITHUB_REF_NAME: '7/merge', GITHUB_REF_TYPE: 'branch' }, 'fix/x'],
    [{ GITHUB_REF_NAME: 'v1', GITHUB_REF_TYPE: 'tag' }, undefined],
    [{ CI_COMMIT_BRANCH: 'main' }, 'main'],
    [{ BUILD_SOURCEBRANCH: 'refs/heads/main' }, 'main'],
    [{ GIT_BRANCH: 'origin/main' }, 'main'],
    [{}, undefined],
  ])('takes the branch of a detached HEAD from the CI: %j', async (ci, branch) => {
    const folder = repository()
    git(folder, 'checkout', '-q', '--detach')
    expect((await readGitInfo(folder, { ...variables, ...ci })).branch).toBe(branch)
  })

  it('is empty outside a repository, before the first commit, and without git', async () => {
    const folder = folderWith({})
    expect(await readGitInfo(folder, variables)).toEqual({})
    git(folder, 'init', '-q')
    expect(await readGitInfo(folder, variables)).toEqual({})
    expect(await readGitInfo(repository(), { PATH: '/nowhere' })).toEqual({})
  })

  it.each([
    ['git@github.com:team/app.git', 'https://github.com/team/app'],
    ['ssh://git@host.example.com:2222/team/app.git', 'https://host.example.com/team/app'],
    ['https://user:token@host.example.com:8443/team/app.git/', 'https://host.example.com:8443/team/app'],
    ['https://host.example.com/app?token=1#x', 'https://host.example.com/app'],
    ['git+https://github.com/team/app.git', 'https://github.com/team/app'],
    ['git://host.example.com/app', 'https://host.example.com/app'],
    ['/srv/git/app.git', undefined],
    ['../app', undefined],
    ['file:///srv/git/app.git', undefined],
    ['C:\\git\\app', undefined],
  ])('shows the remote %s as %s', (remote, wanted) => {
    expect(originAsHttps(remote)).toBe(wanted)
  })

  it('reads versions from tags and makes slugs of branches', () => {
    expect(
      ['v1.2.3', '1.2.3-rc.1', 'app@1.2.3', 'app/v1.2.3', 'app-v2.0.0', 'latest', 'v1'].map(versionOfTag),
    ).toEqual(['1.2.3', '1.2.3-rc.1', '1.2.3', '1.2.3', '2.0.0', undefined, undefined])
    expect(slug(`Feature/ÄÖ_x!${'y'.repeat(80)}`)).toMatch(/^feature-x-y{51,53}$/)
    expect(slug('--a--')).toBe('a')
  })
})
