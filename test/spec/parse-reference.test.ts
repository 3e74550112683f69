/** The reference grammar of the contract, section 2. */

import { describe, expect, it } from 'vitest'
import { outputNames } from '../../src/spec/output-names.ts'
import { formatReference, parseReference, type ReferenceRole } from '../../src/spec/parse-reference.ts'
import type { LayoutReference } from '../../src/spec/reference.ts'

const digest = `sha256:${'a'.repeat(64)}` as const

describe('references that are read', () => {
  const cases: readonly (readonly [string, ReferenceRole, object])[] = [
    ['scratch', 'in', { transport: 'scratch' }],
    ['host:node', 'in', { transport: 'host', runtime: 'node' }],
    ['registry', 'out', { transport: 'registry' }],
    ['registry', 'in', registry('docker.io', 'library/registry', 'latest')],
    ['node', 'in', registry('docker.io', 'library/node', 'latest')],
    ['node:22', 'in', registry('docker.io', 'library/node', '22')],
    ['team/app', 'in', registry('docker.io', 'team/app', 'latest')],
    ['docker://node:22', 'in', registry('docker.io', 'library/node', '22')],
    ['index.docker.io/node', 'in', registry('docker.io', 'library/node', 'latest')],
    ['docker.io/library/node:22', 'out', registry('docker.io', 'library/node', '22')],
    ['a.b/x/y:1.4.0', 'out', registry('a.b', 'x/y', '1.4.0')],
    ['localhost/app', 'out', registry('localhost', 'app', 'latest')],
    ['host:5000/app:1', 'out', registry('host:5000', 'app', '1')],
    ['kind:5000/app:1', 'out', registry('kind:5000', 'app', '1')],
    ['127.0.0.1:5000/app', 'out', registry('127.0.0.1:5000', 'app', 'latest')],
    ['[::1]:5000/app', 'out', registry('[::1]:5000', 'app', 'latest')],
    ['localhost:5000', 'in', registry('docker.io', 'library/localhost', '5000')],
    [`node@${digest}`, 'in', { transport: 'docker', host: 'docker.io', repository: 'library/node', digest }],
    [`node:22@${digest}`, 'in', { ...registry('docker.io', 'library/node', '22'), digest }],
    ['a.b/x__y/z-1--2.3', 'in', registry('a.b', 'x__y/z-1--2.3', 'latest')],
    ['oci:2024/image', 'out', { transport: 'oci', path: '2024/image' }],
    ['docker://oci:5000/app', 'out', registry('oci:5000', 'app', 'latest')],
    ['oci:dist/image', 'out', { transport: 'oci', path: 'dist/image' }],
    ['oci:dist/image:1.4.0', 'out', { transport: 'oci', path: 'dist/image', ref: '1.4.0' }],
    ['oci:d:h.example/a:1', 'in', { transport: 'oci', path: 'd', ref: 'h.example/a:1' }],
    [`oci:d:@${digest}`, 'in', { transport: 'oci', path: 'd', digest }],
    ['oci:C:\\images\\app:1', 'in', { transport: 'oci', path: 'C:\\images\\app', ref: '1' }],
    ['C:/images/app', 'in', { transport: 'oci', path: 'C:/images/app' }],
    ['./image', 'in', { transport: 'oci', path: './image' }],
    ['../image:1', 'in', { transport: 'oci', path: '../image', ref: '1' }],
    ['/srv/image', 'in', { transport: 'oci', path: '/srv/image' }],
    ['.', 'in', { transport: 'oci', path: '.' }],
    ['oci-archive:a.tar', 'out', { transport: 'oci-archive', path: 'a.tar' }],
    ['oci-archive:-', 'out', { transport: 'oci-archive', path: '-' }],
    ['oci-archive:-:1.0', 'out', { transport: 'oci-archive', path: '-', ref: '1.0' }],
    ['docker-archive:a.tar:app:1', 'out', { transport: 'docker-archive', path: 'a.tar', ref: 'app:1' }],
  ]
  it.each(cases)('%s (%s)', (text, role, wanted) => {
    const reference = parseReference(text, role)
    expect(reference).toEqual(wanted)
    expect(parseReference(formatReference(reference), role)).toEqual(wanted)
  })
})

describe('references that are refused', () => {
  const cases: readonly (readonly [string, ReferenceRole, RegExp])[] = [
    ['', 'in', /empty/],
    [' node', 'in', /white space/],
    ['scratch', 'out', /cannot be written/],
    ['host:node', 'out', /cannot be written/],
    ['host:deno', 'in', /"node" only.*write host:node/],
    ['app', 'out', /needs the host.*oci:app/],
    ['registry:2', 'out', /needs the host/],
    ['team/app:1', 'out', /needs the host/],
    ['./dist', 'out', /a path as an output.*oci:\.\/dist/],
    ['/srv/image.tar', 'out', /a path as an output.*oci-archive:\/srv\/image\.tar/],
    [`a.b/x@${digest}`, 'out', /digest from the build/],
    [`oci:d:@${digest}`, 'out', /digest from the build/],
    ['docker-daemon:app', 'out', /later release.*docker-archive:/],
    ['podman:app', 'in', /later release/],
    ['containerd:app', 'in', /later release/],
    ['kind:app', 'out', /later release/],
    ['docker:node', 'in', /write docker:\/\/node/],
    ['https://a.b/x', 'in', /leave https:\/\/ out/],
    ['Node', 'in', /write it in lower case: node/],
    ['a.b/x/../y', 'in', /not a repository/],
    ['a.b//x', 'in', /not a repository/],
    ['a_.b/x', 'in', /not a host/],
    ['node:', 'in', /not a tag/],
    ['node:-x', 'in', /not a tag/],
    [`node:${'x'.repeat(129)}`, 'in', /not a tag/],
    [`${'x'.repeat(256)}`, 'in', /255/],
    ['node@sha256:abc', 'in', /not a digest/],
    [`node@${digest.toUpperCase()}`, 'in', /not a digest/],
    ['oci:', 'in', /no folder is named/],
    ['oci::x', 'in', /no folder is named/],
    ['oci:d:', 'in', /not a ref name/],
    ['oci:d:a b', 'in', /not a ref name/],
    ['oci:d:-x', 'out', /not a ref name/],
    ['oci:d:@sha256:abc', 'in', /not a digest/],
    ['oci:-', 'out', /cannot be a stream/],
    ['oci-archive:', 'out', /no file is named/],
    ['oci-archive:-', 'in', /stdin/],
    ['oci:d\0:x', 'in', /empty/],
  ]
  it.each(cases)('%j (%s)', (text, role, wanted) => {
    try {
      parseReference(text, role)
      expect.unreachable('it was taken')
    } catch (error) {
      expect(error).toMatchObject({ code: 'OCB-SPEC-REFERENCE' })
      const { message, hint } = error as { message: string; hint: string }
      expect(`${message}; ${hint}`).toMatch(wanted)
    }
  })

  it('answers at once, however long and odd the text is', () => {
    const started = performance.now()
    for (const text of [
      'a-'.repeat(2000),
      'a'.repeat(4096),
      `${'a.'.repeat(1900)}/b!`,
      `x:${'-'.repeat(4000)}`,
    ]) {
      for (const prefix of ['', 'oci:d:', 'a.b/']) {
        expect(() => parseReference(`${prefix}${text}!`, 'out')).toThrow()
      }
    }
    expect(performance.now() - started).toBeLessThan(500)
  })
})

describe('names in an output', () => {
  const layout = (ref?: string): LayoutReference => ({ transport: 'oci', path: 'd', ref })
  const docker = (ref?: string): LayoutReference => ({ transport: 'docker-archive', path: 'd', ref })
  const annotation = 'io.containerd.image.name'

  it('are the tags, with the whole name where the registry is known', () => {
    expect(outputNames(layout(), 'r.example.com/team/app', ['1.4.0', 'latest'])).toEqual([
      { reference: '1.4.0', annotations: { [annotation]: 'r.example.com/team/app:1.4.0' } },
      { reference: 'latest', annotations: { [annotation]: 'r.example.com/team/app:latest' } },
    ])
    expect(outputNames(layout(), 'app', ['1'])).toEqual([{ reference: '1', annotations: {} }])
  })

  it('are the one that the output gives', () => {
    expect(outputNames(layout('x'), 'r.example.com/app', ['1', '2'])).toEqual([
      { reference: 'x', annotations: { [annotation]: 'r.example.com/app:x' } },
    ])
    expect(outputNames(layout('other.example/b:3'), 'app', ['1'])).toEqual([
      { reference: 'other.example/b:3', annotations: { [annotation]: 'other.example/b:3' } },
    ])
  })

  it('are RepoTags in a docker-archive', () => {
    expect(outputNames(docker(), 'app', ['1'])).toEqual([{ reference: 'app:1', annotations: {} }])
    expect(outputNames(docker('b.example/c'), 'app', ['1'])).toEqual([
      { reference: 'b.example/c:latest', annotations: { [annotation]: 'b.example/c:latest' } },
    ])
    expect(outputNames(docker('c:2'), 'app', ['1'])).toEqual([{ reference: 'c:2', annotations: {} }])
  })
})

function registry(host: string, repository: string, tag: string): object {
  return { transport: 'docker', host, repository, tag }
}
