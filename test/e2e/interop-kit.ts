/** The images that other people's tools read: specs over one project, a base made by hand, and what must come out. */

import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describeNode, contentSecond, type TreeNode } from '../helpers/file-tree.ts'
import { gzipLayer, makeImage, plainLayer, rawTar } from '../helpers/hand-made-image.ts'
import { writeLayout } from '../helpers/write-layout.ts'

type Spec = Readonly<Record<string, unknown>>

const data = '7:8'

export const onScratch: Spec = {
  name: 'localhost/interop',
  tags: ['1.0', 'latest'],
  base: 'scratch',
  platforms: ['linux/amd64'],
  created: 'epoch',
  layers: [
    { name: 'all', entries: [{ copy: '.', to: '/app', exclude: ['data/zeros', 'twins'] }] },
    { name: 'twins', compression: 'none', entries: [{ copy: 'twins', to: '/twins', hardLinks: 'preserve' }] },
    {
      name: 'verbs',
      compression: 'gzip:9',
      entries: [
        { copy: 'bin', to: '/srv', owner: '12:34', mode: '0640', dirMode: '0750', mtime: 'epoch' },
        { directory: '/var/empty', mode: '1777', owner: '4000000:2097152' },
        { file: '/etc/motd', content: 'hello\n' },
        { symlink: '/etc/motd.link', target: '../etc/motd' },
        { hardlink: '/etc/motd.twin', target: '/etc/motd' },
      ],
    },
  ],
  config: { cmd: ['/app/bin/tool0'], env: { LANG: 'C' }, exposedPorts: [3000], volumes: ['/data'] },
}

export const onBase: Spec = {
  ...onScratch,
  base: 'oci:base',
  layers: [
    { name: 'programs', entries: [{ copy: 'bin', to: '/bin' }] },
    { name: 'data', entries: [{ copy: 'odd', to: '/srv/data/odd', owner: data }] },
    {
      name: 'changes',
      entries: [
        { file: '/var/run/pid', content: '1\n' },
        { remove: '/opt/gone' },
        { remove: '/opt/folder' },
        { opaque: '/opt/hidden' },
        { file: '/opt/hidden/new', content: 'new' },
        { append: '/etc/passwd', content: 'app:x:7:8::/:\n' },
        { file: '/etc/owned', content: 'by name', owner: 'odd:odd' },
      ],
    },
  ],
}

const passwd = 'root:x:0:0::/root:/bin/sh\nodd:x:4242:4242::/:\n'

/** Links among its directories, owners and modes of its own, and things to hide. */
export async function writeBase(dir: string): Promise<string> {
  const lower = rawTar([
    { name: 'usr/', mode: 0o755 },
    { name: 'usr/bin/', mode: 0o751, uid: 3, gid: 4 },
    { name: 'usr/bin/sh', content: 'shell', mode: 0o4755 },
    { name: 'bin', flag: '2', target: 'usr/bin', mode: 0o777 },
    { name: 'run/', mode: 0o1777 },
    { name: 'var/', mode: 0o755 },
    { name: 'var/run', flag: '2', target: '../run', mode: 0o777 },
    { name: 'etc/', mode: 0o755 },
    { name: 'etc/passwd', content: passwd, mode: 0o644 },
    { name: 'etc/group', content: 'root:x:0:\nodd:x:4242:\n', mode: 0o644 },
  ])
  const upper = rawTar([
    { name: 'srv/', mode: 0o711, uid: 12, gid: 34 },
    { name: 'srv/data/', mode: 0o2770, uid: 7, gid: 8 },
    { name: 'srv/data/kept', content: 'kept', mode: 0o600, uid: 7, gid: 8 },
    { name: 'opt/', mode: 0o755 },
    { name: 'opt/gone', content: 'gone' },
    { name: 'opt/folder/', mode: 0o755 },
    { name: 'opt/folder/deep', content: 'gone too' },
    { name: 'opt/hidden/', mode: 0o700, uid: 9, gid: 9 },
    { name: 'opt/hidden/old', content: 'old' },
  ])
  return writeLayout(dir, await makeImage([gzipLayer(lower), plainLayer(upper)]), 'latest')
}

type Rules = Partial<Pick<TreeNode, 'uid' | 'gid' | 'mtime'>> & {
  readonly mode?: number
  readonly dirMode?: number
  readonly skip?: (path: string) => boolean
}

class ExpectedTree {
  readonly nodes = new Map<string, string>()

  add(path: string, node: Partial<TreeNode> & Pick<TreeNode, 'type'>): this {
    const mtime = node.type === 'file' ? contentSecond(node.content ?? new Uint8Array()) : 0
    const mode = node.type === 'file' ? 0o644 : 0o755
    this.nodes.set(path, describeNode({ mode, uid: 0, gid: 0, mtime, ...node }))
    return this
  }

  /** What is below a folder of the host, by the contract's rules. */
  copy(host: string, to: string, rules: Rules = {}): this {
    const { uid = 0, gid = 0 } = rules
    const visit = (below: string): void => {
      for (const entry of readdirSync(join(host, below), { withFileTypes: true })) {
        const name = below === '' ? entry.name : `${below}/${entry.name}`
        const [full, path] = [join(host, name), `${to}/${name}`]
        if (rules.skip?.(name) === true) continue
        if (entry.isSymbolicLink()) {
          this.add(path, { type: 'symlink', uid, gid, target: readlinkSync(full) })
        } else if (entry.isDirectory()) {
          this.add(path, { type: 'directory', uid, gid, mode: rules.dirMode ?? 0o755 })
          visit(name)
        } else {
          const content = readFileSync(full)
          const mode = rules.mode ?? (lstatSync(full).mode & 0o100 ? 0o755 : 0o644)
          const mtime = rules.mtime ?? contentSecond(content)
          this.add(path, { type: 'file', uid, gid, mode, content, mtime })
        }
      }
    }
    visit('')
    return this
  }
}

const text = (content: string): Uint8Array => Buffer.from(content)

export function expectedOnScratch(project: string): ReadonlyMap<string, string> {
  const tree = new ExpectedTree()
  for (const path of ['app', 'etc', 'srv', 'twins', 'var']) tree.add(path, { type: 'directory' })
  tree.copy(project, 'app', {
    skip: (path) => path === 'data/zeros' || path.startsWith('twins') || /^out(?:$|[/.])/.test(path),
  })
  tree.copy(join(project, 'twins'), 'twins')
  tree.add('srv', { type: 'directory', uid: 12, gid: 34, mode: 0o750 })
  tree.copy(join(project, 'bin'), 'srv', { uid: 12, gid: 34, mode: 0o640, dirMode: 0o750, mtime: 0 })
  tree.add('var/empty', { type: 'directory', mode: 0o1777, uid: 4_000_000, gid: 2_097_152 })
  for (const name of ['etc/motd', 'etc/motd.twin']) tree.add(name, { type: 'file', content: text('hello\n') })
  return tree.add('etc/motd.link', { type: 'symlink', target: '../etc/motd' }).nodes
}

export function expectedOnBase(project: string): ReadonlyMap<string, string> {
  const tree = new ExpectedTree()
  for (const path of ['etc', 'opt', 'usr', 'var']) tree.add(path, { type: 'directory' })
  tree.add('usr/bin', { type: 'directory', mode: 0o751, uid: 3, gid: 4 })
  tree.add('usr/bin/sh', { type: 'file', mode: 0o4755, content: text('shell'), mtime: 0 })
  tree.add('bin', { type: 'symlink', target: 'usr/bin' })
  tree.add('run', { type: 'directory', mode: 0o1777 }).add('var/run', { type: 'symlink', target: '../run' })
  tree.add('run/pid', { type: 'file', content: text('1\n') })
  tree.add('etc/passwd', { type: 'file', content: text(`${passwd}app:x:7:8::/:\n`) })
  tree.add('etc/group', { type: 'file', content: text('root:x:0:\nodd:x:4242:\n'), mtime: 0 })
  tree.add('etc/owned', { type: 'file', content: text('by name'), uid: 4242, gid: 4242 })
  tree.add('srv', { type: 'directory', mode: 0o711, uid: 12, gid: 34 })
  tree.add('srv/data', { type: 'directory', mode: 0o2770, uid: 7, gid: 8 })
  tree.add('srv/data/kept', { type: 'file', mode: 0o600, uid: 7, gid: 8, content: text('kept'), mtime: 0 })
  tree.add('srv/data/odd', { type: 'directory', uid: 7, gid: 8 })
  tree.add('opt/hidden', { type: 'directory', mode: 0o700, uid: 9, gid: 9 })
  tree.add('opt/hidden/new', { type: 'file', content: text('new') })
  tree.copy(join(project, 'bin'), 'usr/bin')
  return tree.copy(join(project, 'odd'), 'srv/data/odd', { uid: 7, gid: 8 }).nodes
}
