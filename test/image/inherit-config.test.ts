import { describe, expect, it } from 'vitest'
import type { ConfigSpec } from '../../src/config/resolved-spec.ts'
import { inheritConfig } from '../../src/image/inherit-config.ts'
import type { ExecutionConfig } from '../../src/spec/image-config.ts'

type Case = [title: string, base: ExecutionConfig, spec: ConfigSpec, wanted: ExecutionConfig]

function table(cases: readonly Case[]): void {
  it.each(cases)('%s', (_, base, spec, wanted) => {
    const result = inheritConfig(base, spec, {})
    expect(result).toEqual(wanted)
    expect(Object.keys(result).toSorted()).toEqual(Object.keys(wanted).toSorted())
  })
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

describe('env', () => {
  const Env = ['PATH=/bin', 'A=1', 'B=2=3', 'C=']
  table([
    ['is kept in its order', { Env }, {}, { Env }],
    [
      'is replaced in place, and new ones come after',
      { Env },
      { env: { Z: 'z', A: 'new' } },
      { Env: ['PATH=/bin', 'A=new', 'B=2=3', 'C=', 'Z=z'] },
    ],
    [
      'loses what is null, also what is not there',
      { Env },
      { env: { A: null, NONE: null } },
      { Env: ['PATH=/bin', 'B=2=3', 'C='] },
    ],
    ['is cleared by null', { Env }, { env: null }, {}],
    ['may be empty strings', { Env: ['A=1'] }, { env: { A: '' } }, { Env: ['A='] }],
    ['is left out when nothing is left', { Env: ['A=1'] }, { env: { A: null } }, {}],
    [
      'is added to at both ends',
      { Env },
      { env: { PATH: { prepend: '/a:', append: ':/z' }, B: { append: '!' } } },
      { Env: ['PATH=/a:/bin:/z', 'A=1', 'B=2=3!', 'C='] },
    ],
    [
      'adds to the default PATH where the base has none',
      {},
      { env: { PATH: { prepend: '/a:' }, X: { append: 'x' } } },
      { Env: [`PATH=/a:${defaultPath}`, 'X=x'] },
    ],
  ])
})

describe('entrypoint and cmd', () => {
  const base = { Entrypoint: ['/entry'], Cmd: ['base'] }
  table([
    ['are inherited', base, {}, base],
    ['a new entrypoint drops the cmd of the base', base, { entrypoint: ['/new'] }, { Entrypoint: ['/new'] }],
    ['a new cmd keeps the entrypoint', base, { cmd: ['new'] }, { Entrypoint: ['/entry'], Cmd: ['new'] }],
    ['both are set', base, { entrypoint: ['/new'], cmd: ['new'] }, { Entrypoint: ['/new'], Cmd: ['new'] }],
    ['an empty entrypoint clears it, and the cmd of the base', base, { entrypoint: [] }, {}],
    [
      'a null entrypoint clears it, and leaves the cmd of the spec',
      base,
      { entrypoint: null, cmd: ['x'] },
      { Cmd: ['x'] },
    ],
    ['an empty cmd clears it', base, { cmd: [] }, { Entrypoint: ['/entry'] }],
    ['a null cmd clears it', base, { cmd: null }, { Entrypoint: ['/entry'] }],
  ])
})

describe('single values', () => {
  const Healthcheck = { Test: ['CMD', 'x'], Interval: 1 }
  const base = { User: 'a', WorkingDir: '/w', StopSignal: 'SIGINT', Healthcheck }
  table([
    ['are inherited', base, {}, base],
    [
      'are replaced',
      base,
      { user: 'b', workingDir: '/x', stopSignal: 'SIGHUP', healthcheck: { Test: ['NONE'] } },
      { User: 'b', WorkingDir: '/x', StopSignal: 'SIGHUP', Healthcheck: { Test: ['NONE'] } },
    ],
    ['are cleared by empty strings', base, { user: '', workingDir: '', stopSignal: '' }, { Healthcheck }],
    ['are cleared by null', base, { user: null, workingDir: null, stopSignal: null, healthcheck: null }, {}],
  ])
})

describe('ports and volumes', () => {
  const base = { ExposedPorts: { '80/tcp': {} }, Volumes: { '/a': {} } }
  table([
    ['are inherited', base, {}, base],
    [
      'unite',
      base,
      { exposedPorts: ['53/udp', '80/tcp'], volumes: ['/b'] },
      { ExposedPorts: { '80/tcp': {}, '53/udp': {} }, Volumes: { '/a': {}, '/b': {} } },
    ],
    ['are cleared by []', base, { exposedPorts: [], volumes: [] }, {}],
    ['are cleared by null', base, { exposedPorts: null, volumes: null }, {}],
  ])
})

describe('labels', () => {
  const Labels = {
    a: '1',
    b: '2',
    'org.opencontainers.image.title': 'the base',
    'org.opencontainers.other': 'kept',
  }
  table([
    [
      'of the base are kept, but for those that say what the base is',
      { Labels },
      {},
      { Labels: { a: '1', b: '2', 'org.opencontainers.other': 'kept' } },
    ],
    [
      'merge by key, and null removes one',
      { Labels: { a: '1', b: '2' } },
      { labels: { a: 'new', b: null, c: '3' } },
      { Labels: { a: 'new', c: '3' } },
    ],
    ['of the base go where all are null', { Labels }, { labels: null }, {}],
    [
      'that are set may be those of the image',
      { Labels },
      { labels: { 'org.opencontainers.image.title': 'mine' } },
      {
        Labels: {
          a: '1',
          b: '2',
          'org.opencontainers.other': 'kept',
          'org.opencontainers.image.title': 'mine',
        },
      },
    ],
  ])

  it('of the metadata lie over the base and under the spec', () => {
    const metadata = { a: 'metadata', b: 'metadata', c: 'metadata' }
    const { Labels: labels } = inheritConfig(
      { Labels: { a: 'base', z: 'base' } },
      { labels: { b: 'spec', c: null } },
      metadata,
    )
    expect(labels).toEqual({ a: 'metadata', b: 'spec', z: 'base' })
  })
})

describe('other keys of the base', () => {
  table([
    [
      'are kept where nobody knows them',
      { Shell: ['/bin/bash', '-c'], ArgsEscaped: true, Custom: { x: [1] } },
      { cmd: ['x'] },
      { Shell: ['/bin/bash', '-c'], ArgsEscaped: true, Custom: { x: [1] }, Cmd: ['x'] },
    ],
    [
      'are dropped where they are of its build or its machine',
      {
        OnBuild: ['RUN x'],
        Hostname: 'h',
        Domainname: 'd',
        Image: 'sha256:x',
        AttachStdin: false,
        AttachStdout: true,
        AttachStderr: true,
        User: 'a',
      },
      {},
      { User: 'a' },
    ],
    ['are left out where they are null', { Entrypoint: null, Custom: null }, {}, {}],
  ])

  it('do not matter where there is no base', () => {
    expect(inheritConfig(undefined, {}, {})).toEqual({})
    expect(inheritConfig(undefined, { cmd: ['x'] }, { a: '1' })).toEqual({ Cmd: ['x'], Labels: { a: '1' } })
  })
})
