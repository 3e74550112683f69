import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { processEnvironment } from '../../src/environment.ts'
import { hostNodeRuntime, type HostRuntime } from '../../src/node/host-runtime.ts'
import { materialise } from '../helpers/materialise.ts'
import { findPeer, skipOrFail } from '../helpers/peers.ts'

const environment = processEnvironment()
const onLinux = process.platform === 'linux'
const isRoot = process.getuid?.() === 0

describe.runIf(onLinux)('the runtime of this host', () => {
  let runtime: HostRuntime
  beforeAll(async () => {
    runtime = await hostNodeRuntime({ environment })
  })

  const placed = (path: string): HostRuntime['placements'][number] => {
    const found = runtime.placements.find((placement) => placement.path === path)
    if (found === undefined) throw new Error(`${path} is not placed`)
    return found
  }

  it('says what it is', () => {
    expect(runtime.layerName).toBe('node runtime')
    expect(runtime.platform).toEqual({ os: 'linux', architecture: environment.hostArchitecture })
    expect(runtime.nodeVersion).toBe(process.versions.node)
    expect(runtime.env).toEqual([
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      `NODE_VERSION=${process.versions.node}`,
    ])
  })

  it('gives the same placements each time', async () => {
    expect(await hostNodeRuntime({ environment })).toEqual(runtime)
  })

  it('places each path once, in order, after its parent, and below no link', () => {
    const paths = runtime.placements.map((placement) => placement.path)
    expect(paths).toEqual([...new Set(paths)].sort())
    for (const path of paths) {
      if (path !== '/') expect(placed(dirname(path)).type, `the parent of ${path}`).toBe('directory')
    }
  })

  it('gives files the time of their content, and everything else the epoch', () => {
    for (const placement of runtime.placements) {
      if ('mtime' in placement)
        expect(placement.mtime, placement.path).toBe(placement.type === 'file' ? 'content' : 0)
    }
  })

  it('has fixed users and nothing of the host among them', () => {
    expect(placed('/tmp')).toMatchObject({ type: 'directory', mode: 0o1777 })
    expect(placed('/root')).toMatchObject({ type: 'directory', mode: 0o700, owner: '0:0' })
    expect(placed('/home/node')).toMatchObject({ type: 'directory', owner: '1000:1000' })
    const passwd = placed('/etc/passwd')
    if (passwd.type !== 'file' || passwd.source.kind !== 'bytes')
      throw new Error('/etc/passwd is no fixed file')
    const users = Buffer.from(passwd.source.bytes).toString().trimEnd().split('\n')
    expect(users.map((line) => line.split(':').slice(0, 4).join(':'))).toEqual([
      'root:x:0:0',
      'node:x:1000:1000',
      'nobody:x:65534:65534',
    ])
  })

  it('leaves out the time zones of other clocks and the zone of the host', () => {
    const zones = runtime.placements.filter(({ path }) => path.startsWith('/usr/share/zoneinfo/'))
    expect(zones.filter(({ path }) => /zoneinfo\/(?:right|posix|localtime)(?:\/|$)/.test(path))).toEqual([])
  })

  it('has every library that ldd names, where this host has ldd', (context) => {
    let printed: string
    try {
      printed = execFileSync('ldd', [process.execPath], { encoding: 'utf8' })
    } catch {
      return skipOrFail(context, 'ldd is not installed')
    }
    const wanted = [...printed.matchAll(/^\s*(\S+) => \//gm)].map((match) => match[1] ?? '')
    const names = new Set(runtime.placements.map(({ path }) => basename(path)))
    expect(wanted.length).toBeGreaterThan(0)
    expect(wanted.filter((name) => !names.has(name))).toEqual([])
    const loader = /^\s*(\/\S+) \(0x/m.exec(printed)?.[1] ?? ''
    expect(names).toContain(basename(loader))
  })

  describe.runIf(isRoot)('as a root file system', () => {
    let root: string
    beforeAll(() => {
      root = mkdtempSync(join(tmpdir(), 'ocibuild-host-runtime-'))
      materialise(runtime.placements, root)
    })
    afterAll(() => rmSync(root, { recursive: true, force: true }))

    const run = (code: string, env: NodeJS.ProcessEnv = {}): unknown => {
      const path = runtime.env[0]?.slice('PATH='.length)
      const argv = [root, 'node', '-p', `JSON.stringify(${code})`]
      return JSON.parse(
        execFileSync(findPeer('chroot') ?? 'chroot', argv, { env: { PATH: path, ...env }, encoding: 'utf8' }),
      )
    }

    it('runs the same Node.js', () => {
      expect(run('process.versions')).toEqual({ ...process.versions })
    })

    it('hashes and encrypts', () => {
      const code = `require('crypto').createHash('sha256').update('a').digest('hex')`
      expect(run(code)).toMatch(/^ca978112ca1bbdcafac231b39a23dc4d/)
    })

    it('resolves names', () => {
      // `-p` prints what it has at once, so the answer is printed by hand and the rest thrown away.
      const code = `(require('dns').lookup('localhost', (error, address) => { console.log(JSON.stringify(error ? error.code : address)); process.exit() }), 0)`
      const printed = execFileSync(
        findPeer('chroot') ?? 'chroot',
        [root, '/usr/local/bin/node', '-e', code],
        { encoding: 'utf8' },
      )
      expect(['127.0.0.1', '::1']).toContain(JSON.parse(printed))
    })

    it('knows time zones, and is in UTC unless told otherwise', () => {
      const offset = `new Date(Date.UTC(2024, 6, 1)).getHours()`
      expect(run(offset, { TZ: 'Europe/Zurich' })).toBe(2)
      expect(run(offset)).toBe(0)
      expect(run(`new Intl.DateTimeFormat('de-CH', { timeZone: 'Asia/Tokyo' }).format(0)`)).toBe('1.1.1970')
    })

    it('has root certificates in the file that others read and inside itself', () => {
      const code = `[require('fs').readFileSync('/etc/ssl/cert.pem', 'utf8').split('BEGIN CERTIFICATE').length > 20, require('tls').rootCertificates.length > 20]`
      expect(run(code)).toEqual([true, true])
    })

    it('knows its users by name', () => {
      expect(run(`require('os').userInfo().username`)).toBe('root')
      expect(run(`(process.setgid('node'), process.setuid('node'), require('os').userInfo().homedir)`)).toBe(
        '/home/node',
      )
      expect(run(`(process.setuid('nobody'), process.getuid())`)).toBe(65534)
    })

    it('lets every user write to /tmp and the node user to its home', () => {
      const code = `(process.setgid(1000), process.setuid(1000), ['/tmp/a', '/home/node/a', '/a'].map((path) => { try { require('fs').writeFileSync(path, ''); return true } catch { return false } }))`
      expect(run(code)).toEqual([true, true, false])
    })

    it('reaches programs and libraries through the merged folders', () => {
      expect(readdirSync(join(root, 'lib'))).toEqual(readdirSync(join(root, 'usr/lib')))
      expect(statSync(join(root, 'bin')).isDirectory()).toBe(true)
      expect(statSync(join(root, 'sbin')).isDirectory()).toBe(true)
    })
  })
})

describe('where the host cannot serve', () => {
  const linux = { ...environment, hostPlatform: 'linux', hostArchitecture: 'amd64' } as const

  it.each(['darwin', 'win32'] as const)(
    'says so on %s, with another base as the way out',
    async (hostPlatform) => {
      await expect(hostNodeRuntime({ environment: { ...environment, hostPlatform } })).rejects.toMatchObject({
        code: 'OCB-HOST-RUNTIME-OS',
        message: expect.stringContaining(hostPlatform),
        hint: expect.stringContaining('oci:DIR'),
      })
    },
  )

  it('says so when another platform is wanted', async () => {
    const platform = { os: 'linux', architecture: 'arm64' }
    await expect(hostNodeRuntime({ environment: linux, platform })).rejects.toMatchObject({
      code: 'OCB-HOST-RUNTIME-PLATFORM',
      message: expect.stringMatching(/linux\/amd64.*linux\/arm64/),
    })
  })

  it('says so when the binary is gone or is none', async () => {
    const withBinary = (execPath: string): Promise<HostRuntime> =>
      hostNodeRuntime({ environment: { ...linux, node: { ...environment.node, execPath } } })
    await expect(withBinary('/nowhere/node')).rejects.toMatchObject({ code: 'OCB-HOST-RUNTIME-NODE' })
    await expect(withBinary(import.meta.filename)).rejects.toMatchObject({ code: 'OCB-ELF-INVALID' })
  })

  it('stops when it is told to', async () => {
    const signal = AbortSignal.abort()
    await expect(hostNodeRuntime({ environment, signal })).rejects.toMatchObject({ code: 'OCB-INTERRUPTED' })
  })
})
