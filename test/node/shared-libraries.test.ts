import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findLibraries, type SharedLibrary } from '../../src/node/shared-libraries.ts'
import { writeElf, type ElfShape } from '../helpers/write-elf.ts'

const loader = '/lib64/ld-linux-x86-64.so.2'
let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ocibuild-libraries-'))
  elf(loader, { soname: 'ld-linux-x86-64.so.2' })
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function put(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}
function elf(path: string, shape: ElfShape = {}): void {
  put(path, writeElf(shape))
}
function program(shape: ElfShape): void {
  elf('/opt/node/bin/node', { interpreter: loader, ...shape })
}
function find(
  optional: readonly string[] = [],
  libraryPath: readonly string[] = [],
): readonly SharedLibrary[] {
  return findLibraries({ root, libraryPath }, '/opt/node/bin/node', optional).libraries
}
function places(optional?: readonly string[], libraryPath?: readonly string[]): readonly string[] {
  return find(optional, libraryPath).map(({ foundAt }) => foundAt)
}

describe('the libraries of a program', () => {
  it('are followed to the end, each once, the loader left out', () => {
    program({ needed: ['liba.so.1', 'libc.so.6', 'ld-linux-x86-64.so.2'] })
    elf('/usr/lib/liba.so.1', { needed: ['libb.so.1', 'libc.so.6'] })
    elf('/usr/lib/libb.so.1', { needed: ['liba.so.1'] })
    elf('/lib64/libc.so.6', { needed: ['ld-linux-x86-64.so.2'] })
    expect(places()).toEqual(['/usr/lib/liba.so.1', '/lib64/libc.so.6', '/usr/lib/libb.so.1'])
  })

  it('are the files behind links, under the names that are asked for', () => {
    program({ needed: ['liba.so.1'] })
    elf('/usr/lib/liba.so.1.2.3')
    symlinkSync('liba.so.1.2.3', join(root, 'usr/lib/liba.so.1'))
    const [library] = find()
    expect(library).toMatchObject({ name: 'liba.so.1', foundAt: '/usr/lib/liba.so.1' })
    expect(library?.realPath).toMatch(/liba\.so\.1\.2\.3$/)
  })

  it('are looked for in RPATH, also for the libraries of libraries', () => {
    program({ needed: ['liba.so.1'], rpath: '$ORIGIN/../lib' })
    elf('/opt/node/lib/liba.so.1', { needed: ['libb.so.1'] })
    elf('/opt/node/lib/libb.so.1')
    elf('/usr/lib/libb.so.1')
    expect(places()).toEqual(['/opt/node/lib/liba.so.1', '/opt/node/lib/libb.so.1'])
  })

  it('are looked for in RUNPATH by its own object only, and RPATH beside it is void', () => {
    program({ needed: ['liba.so.1'], runpath: '${ORIGIN}/../lib', rpath: '/other' })
    elf('/other/liba.so.1')
    elf('/opt/node/lib/liba.so.1', { needed: ['libb.so.1'] })
    elf('/opt/node/lib/libb.so.1')
    elf('/usr/lib/libb.so.1')
    expect(places()).toEqual(['/opt/node/lib/liba.so.1', '/usr/lib/libb.so.1'])
  })

  it('are looked for in every value of $LIB', () => {
    program({ needed: ['liba.so.1'], runpath: '/opt/$LIB' })
    elf('/opt/lib/x86_64-linux-gnu/liba.so.1')
    elf('/opt/lib/liba.so.1')
    expect(places()).toEqual(['/opt/lib/x86_64-linux-gnu/liba.so.1'])
  })

  it('are looked for where ld.so.conf and its includes say, before the default folders', () => {
    program({ needed: ['liba.so.1', 'libb.so.1'] })
    put('/etc/ld.so.conf', '# comment\ninclude ld.so.conf.d/*.conf\n/srv/lib # last\n')
    put('/etc/ld.so.conf.d/x.conf', '/srv/x\n')
    put('/etc/ld.so.conf.d/.hidden.conf', '/srv/hidden\n')
    put('/etc/ld.so.conf.d/ignored.txt', '/srv/hidden\n')
    for (const folder of ['/srv/x', '/usr/lib', '/srv/hidden']) elf(`${folder}/liba.so.1`)
    for (const folder of ['/srv/lib', '/usr/lib', '/srv/hidden']) elf(`${folder}/libb.so.1`)
    expect(places()).toEqual(['/srv/x/liba.so.1', '/srv/lib/libb.so.1'])
  })

  it('are found when ld.so.conf includes itself', () => {
    program({ needed: ['liba.so.1'] })
    put('/etc/ld.so.conf', 'include /etc/ld.so.conf\n')
    elf('/usr/lib/liba.so.1')
    expect(places()).toEqual(['/usr/lib/liba.so.1'])
  })

  it('come from LD_LIBRARY_PATH only where nothing else has them', () => {
    program({ needed: ['liba.so.1', 'libb.so.1'] })
    elf('/usr/lib/liba.so.1')
    elf('/env/liba.so.1')
    elf('/env/libb.so.1')
    expect(places([], ['/env'])).toEqual(['/usr/lib/liba.so.1', '/env/libb.so.1'])
  })

  it('pass over files of another machine, class or byte order, and linker scripts', () => {
    program({ needed: ['liba.so.1'], runpath: '/1:/2:/3:/4' })
    elf('/1/liba.so.1', { machine: 183 })
    elf('/2/liba.so.1', { bits: 32 })
    elf('/3/liba.so.1', { littleEndian: false })
    put('/4/liba.so.1', 'INPUT(liba.so.2)\n')
    elf('/usr/lib/liba.so.1')
    expect(places()).toEqual(['/usr/lib/liba.so.1'])
  })

  it('on ARM keep to the kind of floats that the program has', () => {
    const arm = { bits: 32, machine: 40 } as const
    elf(loader, { ...arm, soname: 'ld-linux-armhf.so.3' })
    program({ ...arm, flags: 0x400, needed: ['liba.so.1'], runpath: '/soft' })
    elf('/soft/liba.so.1', { ...arm, flags: 0x200 })
    elf('/usr/lib/arm-linux-gnueabihf/liba.so.1', { ...arm, flags: 0x400 })
    expect(places()).toEqual(['/usr/lib/arm-linux-gnueabihf/liba.so.1'])
  })

  it('named by a path are taken from there', () => {
    program({ needed: ['/srv/liba.so'] })
    elf('/srv/liba.so')
    expect(find()).toMatchObject([{ name: '/srv/liba.so', foundAt: '/srv/liba.so' }])
  })

  it('that are opened later are taken where the host has them', () => {
    program({})
    elf('/usr/lib/libnss_dns.so.2', { needed: ['libresolv.so.2'] })
    elf('/usr/lib/libresolv.so.2')
    expect(places(['libnss_dns.so.2', 'libnss_files.so.2'])).toEqual([
      '/usr/lib/libnss_dns.so.2',
      '/usr/lib/libresolv.so.2',
    ])
  })

  it('on musl are looked for where musl looks, and nothing is opened later', () => {
    const muslLoader = '/lib/ld-musl-x86_64.so.1'
    elf(muslLoader)
    program({ interpreter: muslLoader, needed: ['liba.so.1', 'libb.so.1', 'libc.musl-x86_64.so.1'] })
    put('/etc/ld.so.conf', '/srv/glibc\n')
    for (const folder of ['/srv/glibc', '/lib/x86_64-linux-gnu', '/usr/lib']) elf(`${folder}/liba.so.1`)
    elf('/usr/local/lib/libb.so.1')
    elf('/usr/lib/libnss_dns.so.2')
    expect(places(['libnss_dns.so.2'])).toEqual(['/usr/lib/liba.so.1', '/usr/local/lib/libb.so.1'])
    put('/etc/ld-musl-x86_64.path', '/srv/musl:/usr/local/lib\n')
    elf('/srv/musl/liba.so.1')
    expect(places()).toEqual(['/srv/musl/liba.so.1', '/usr/local/lib/libb.so.1'])
  })

  it('are none for a static program', () => {
    elf('/opt/node/bin/node', {})
    expect(find(['libnss_dns.so.2'])).toEqual([])
  })

  it('that are nowhere are named, with who needs them and where was looked', () => {
    program({ needed: ['liba.so.1'] })
    elf('/usr/lib/liba.so.1', { needed: ['libmissing.so.1'], runpath: '/opt/x' })
    expect(() => find()).toThrow(
      expect.objectContaining({
        code: 'OCB-HOST-RUNTIME-LIBRARY',
        message: expect.stringMatching(
          /liba\.so\.1 needs the library libmissing\.so\.1.*\/opt\/x\/libmissing/,
        ),
      }),
    )
  })

  it('cannot be found without the loader', () => {
    program({ interpreter: '/lib/ld-gone.so.1' })
    expect(() => find()).toThrow(expect.objectContaining({ code: 'OCB-HOST-RUNTIME-LOADER' }))
  })
})
