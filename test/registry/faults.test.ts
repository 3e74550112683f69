import { describe, expect, it } from 'vitest'
import { statusFault, type Fault, type FaultAction } from '../helpers/registry/fault-proxy.ts'
import { attempts, expectNothingPushed, expectPushed, failureOf, startNetwork } from './network-kit.ts'

// Every request that a push makes, by what it is for; and those of a pull.
const pushStages: readonly [string, Omit<Fault, 'action'>][] = [
  ['HEAD of a blob', { method: 'HEAD', path: /\/blobs\// }],
  ['POST of an upload', { method: 'POST' }],
  ['PUT of a blob', { method: 'PUT', path: /\/blobs\// }],
  ['HEAD of a manifest', { method: 'HEAD', path: /\/manifests\// }],
  ['PUT of a manifest', { method: 'PUT', path: /\/manifests\// }],
]
const pullStages: readonly [string, Omit<Fault, 'action'>][] = [
  ['request for a manifest', { path: /\/manifests\// }],
  ['GET of a manifest', { method: 'GET', path: /\/manifests\// }],
  ['GET of a blob', { method: 'GET', path: /\/blobs\// }],
]
const statuses = [408, 425, 429, 500, 502, 503, 504]

const everyStage = (stages: typeof pushStages, action: FaultAction): Fault[] =>
  stages.map(([, match]) => ({ ...match, action }))

describe('a fault that passes', () => {
  it.each(statuses)('status %i once at each stage: push and pull go through', async (status) => {
    const network = await startNetwork({ plan: everyStage(pushStages, statusFault(status)) })
    await network.push()
    expectPushed(network)
    expect(network.registry.state.uploads.size).toBe(0)
    expect(network.proxy.requests.filter(({ fault }) => fault)).toHaveLength(pushStages.length)
    network.proxy.follow(everyStage(pullStages, statusFault(status)))
    expect(await network.pull()).toBe(network.image.root.digest)
    expect(network.proxy.requests.filter(({ fault }) => fault).length).toBeGreaterThanOrEqual(2)
  })

  it.each<[string, FaultAction]>([
    ['a reset', { kind: 'reset' }],
    ['an answer that is lost', { kind: 'lose-answer' }],
    ['an answer that never comes', { kind: 'stall', at: 'headers' }],
    ['a refusal before the body was read', { ...statusFault(503), kind: 'answer', status: 503, early: true }],
  ])('%s once at each stage: push and pull go through', async (_, action) => {
    const network = await startNetwork({ plan: everyStage(pushStages, action) })
    await network.push()
    expectPushed(network)
    network.proxy.follow(everyStage(pullStages, action))
    expect(await network.pull()).toBe(network.image.root.digest)
  })

  it.each([0, 1, 65_536, 199_000])('an upload cut after %i bytes is sent again', async (afterBytes) => {
    const cut = { kind: 'cut-request', afterBytes } as const
    const network = await startNetwork({ plan: [{ method: 'PUT', path: /\/blobs\//, action: cut }] })
    await network.push()
    expectPushed(network)
  })

  it('an upload whose body nobody reads is given up and sent again', async () => {
    const action = { kind: 'stall', at: 'request' } as const
    const network = await startNetwork({ plan: [{ method: 'PUT', path: /\/blobs\//, action }] })
    await network.push()
    expectPushed(network)
  })

  it('an upload that was altered on the way is sent again', async () => {
    const action = { kind: 'alter-request', at: 1000 } as const
    const network = await startNetwork({ plan: [{ method: 'PUT', path: /\/blobs\//, action }] })
    await network.push()
    expectPushed(network)
  })

  it.each([0, 1, 65_536, 199_000])('a blob cut after %i bytes goes on where it was', async (afterBytes) => {
    const network = await startNetwork()
    await network.seed()
    const layer = { method: 'GET', path: new RegExp(network.image.layers[0]?.digest ?? '') }
    network.proxy.follow([{ ...layer, action: { kind: 'cut-answer', afterBytes } }])
    expect(await network.pull()).toBe(network.image.root.digest)
    const ranges = network.registry.requests
      .filter(({ target }) => layer.path.test(target))
      .map(({ headers }) => headers['range'])
    expect(ranges).toHaveLength(2)
    // What arrived before the cut may be less than what was sent.
    if (afterBytes > 1000) expect(ranges[1]).toMatch(/^bytes=\d+-$/)
  })

  it('a blob that stalls in its middle goes on, also where the registry knows no ranges', async () => {
    const network = await startNetwork({ registry: { range: false } })
    await network.seed()
    const action = { kind: 'stall', at: 'body', afterBytes: 100_000 } as const
    network.proxy.follow([{ method: 'GET', path: /\/blobs\//, action }])
    expect(await network.pull()).toBe(network.image.root.digest)
  })

  it('a slow blob is waited for as long as bytes come', async () => {
    const network = await startNetwork()
    await network.seed()
    const action = { kind: 'slow', bytes: 20_000, pauseMs: 60 } as const
    network.proxy.follow([{ method: 'GET', path: /\/blobs\//, action }])
    expect(await network.pull()).toBe(network.image.root.digest)
    expect(network.proxy.requests.filter(({ line }) => line.includes('/blobs/'))).toHaveLength(3)
  })

  it.each([
    ['seconds', () => '1'],
    ['a date', () => new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000).toUTCString()],
  ])('Retry-After in %s is waited for', async (_, retryAfter) => {
    const network = await startNetwork()
    await network.seed()
    network.proxy.follow([{ action: statusFault(429, { 'Retry-After': retryAfter() }) }])
    await network.pull()
    const [first, second] = network.proxy.requests
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThan(850)
  })
})

describe('a fault that stays', () => {
  const stay = (stage: Omit<Fault, 'action'>, action: FaultAction): Fault => ({
    ...stage,
    times: Infinity,
    action,
  })

  it.each(pushStages.flatMap(([name, stage]) => statuses.map((status) => [status, name, stage] as const)))(
    'status %i to every %s: an end after bounded tries that tells of the first',
    async (status, _, stage) => {
      const first: Fault = { ...stage, action: { kind: 'reset' } }
      const network = await startNetwork({ plan: [first, stay(stage, statusFault(status))] })
      const error = await failureOf(network.push())
      expect(error.code).toBe(status === 429 ? 'OCB-REGISTRY-RATE-LIMITED' : 'OCB-REGISTRY-UNAVAILABLE')
      expect(error.message).toMatch(
        new RegExp(`status ${status}.*${attempts} attempts; the first one: .*failed`, 's'),
      )
      expect(error.hint).not.toBe('')
      expectNothingPushed(network)
      const hits = network.proxy.requests.filter(({ fault }) => fault === 'answer')
      expect(hits.length).toBeLessThanOrEqual(2 * attempts)
    },
  )

  it.each(pullStages)('%s answered with 503 for ever: an end, and nothing stored', async (_, stage) => {
    const network = await startNetwork()
    await network.seed()
    network.proxy.follow([{ ...stage, action: { kind: 'reset' } }, stay(stage, statusFault(503))])
    const error = await failureOf(network.pull())
    expect(error.code).toBe('OCB-REGISTRY-UNAVAILABLE')
    expect(error.message).toContain(`${attempts} attempts; the first one:`)
  })

  it.each<[string, FaultAction, string]>([
    ['resets', { kind: 'reset' }, 'OCB-NETWORK-CONNECT'],
    ['stalls', { kind: 'stall', at: 'headers' }, 'OCB-NETWORK-TIMEOUT'],
    ['bodies that nobody reads', { kind: 'stall', at: 'request' }, 'OCB-NETWORK-TIMEOUT'],
    ['cuts', { kind: 'cut-request', afterBytes: 0 }, 'OCB-NETWORK-CONNECT'],
  ])('%s of every upload: an end, nothing pushed', async (_, action, code) => {
    const path = /\/blobs\/uploads\/./
    const network = await startNetwork({
      plan: ['PUT', 'PATCH'].map((method) => stay({ method, path }, action)),
    })
    const error = await failureOf(network.push())
    expect(error.code).toBe(code)
    expect(error.message).toContain(`${attempts} attempts`)
    expectNothingPushed(network)
    expect(network.registry.state.uploads.size).toBe(0)
  })

  it('a blob that is cut again and again at the same byte: an end that says where', async () => {
    const network = await startNetwork()
    await network.seed()
    const layer = { method: 'GET', path: new RegExp(network.image.layers[0]?.digest ?? '') }
    network.proxy.follow([
      { ...layer, action: { kind: 'cut-answer', afterBytes: 100_000 } },
      stay(layer, { kind: 'cut-answer', afterBytes: 0 }),
    ])
    const error = await failureOf(network.pull())
    expect(error.code).toBe('OCB-NETWORK-CONNECT')
    expect(error.message).toMatch(/after \d+ of 20\d{4} bytes/)
  })

  it('a Retry-After that is too long is not waited for, and told', async () => {
    const network = await startNetwork({ plan: [stay({}, statusFault(429, { 'Retry-After': '3600' }))] })
    const error = await failureOf(network.push())
    expect(error.message).toContain('it asks to wait 3600 s')
    expect(network.proxy.requests).toHaveLength(1)
  })
})
