/** The small words of the protocol: challenges, scopes, Retry-After, URLs. */

import { describe, expect, it } from 'vitest'
import { withParameter } from '../../src/registry/api-paths.ts'
import { parseChallenges } from '../../src/registry/challenge.ts'
import { fallbackTag } from '../../src/registry/referrers.ts'
import { readRetryAfter } from '../../src/registry/status-error.ts'
import { backoffMs } from '../../src/registry/retry.ts'
import { covers, formatScope, joinScopes, parseScopes, repositoryScope } from '../../src/registry/scope.ts'
import { createSecrets } from '../../src/registry/secrets.ts'

describe('challenges', () => {
  it.each([
    ['Basic realm="x"', [{ scheme: 'basic', parameters: { realm: 'x' } }]],
    ['basic', [{ scheme: 'basic', parameters: {} }]],
    [
      'Bearer realm="https://a/t?x=1,2",service="s \\"q\\"",scope="repository:a:pull,push"',
      [
        {
          scheme: 'bearer',
          parameters: { realm: 'https://a/t?x=1,2', service: 's "q"', scope: 'repository:a:pull,push' },
        },
      ],
    ],
    [
      'Negotiate, Bearer REALM = "r" , service=s, Basic realm="b"',
      [
        { scheme: 'negotiate', parameters: {} },
        { scheme: 'bearer', parameters: { realm: 'r', service: 's' } },
        { scheme: 'basic', parameters: { realm: 'b' } },
      ],
    ],
    ['Bearer realm="first",realm="second"', [{ scheme: 'bearer', parameters: { realm: 'first' } }]],
    ['Bearer realm="never closed', [{ scheme: 'bearer', parameters: {} }]],
    ['', []],
    ['"?', []],
  ])('%s', (header, challenges) => {
    expect(parseChallenges(header)).toEqual(challenges)
  })

  it('are read in no more than a moment, whatever they hold', () => {
    const started = performance.now()
    for (const text of ['Bearer '.repeat(50_000), `Bearer a="${'\\'.repeat(100_000)}`, ','.repeat(100_000)]) {
      parseChallenges(text)
    }
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

describe('scopes', () => {
  it('are parsed, joined and compared', () => {
    const text = 'repository:host:5000/a/b:pull registry:catalog:* nonsense'
    expect(parseScopes(text).map(formatScope)).toEqual([
      'repository:host:5000/a/b:pull',
      'registry:catalog:*',
    ])
    const joined = joinScopes([
      repositoryScope('a', 'pull'),
      repositoryScope('b', 'pull'),
      repositoryScope('a', 'pull', 'push'),
    ])
    expect(joined.map(formatScope)).toEqual(['repository:a:pull,push', 'repository:b:pull'])
    expect(covers(joined, [repositoryScope('a', 'push')])).toBe(true)
    expect(covers(joined, [repositoryScope('b', 'push')])).toBe(false)
    expect(covers([], [])).toBe(true)
  })
})

describe('waiting', () => {
  it.each([
    ['0', 0],
    ['120', 120_000],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 37_000],
    ['Sun, 06 Nov 1994 08:48:00 GMT', 0],
    ['soon', undefined],
    ['-1', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('Retry-After: %s is %s ms', (value, ms) => {
    expect(readRetryAfter(value, Date.UTC(1994, 10, 6, 8, 49, 0))).toBe(ms)
  })

  it('grows, with jitter and a bound', () => {
    for (let attempt = 1; attempt < 20; attempt += 1) {
      const wait = backoffMs(100, attempt)
      const whole = Math.min(30_000, 100 * 2 ** (attempt - 1))
      expect(wait).toBeGreaterThanOrEqual(whole / 2)
      expect(wait).toBeLessThanOrEqual(whole)
    }
  })
})

describe('URLs', () => {
  it.each([
    ['http://a/u', 'http://a/u?digest=sha256%3Aab'],
    ['http://a/u?', 'http://a/u?digest=sha256%3Aab'],
    ['http://a/u?s=%2F%2b+x&t', 'http://a/u?s=%2F%2b+x&t&digest=sha256%3Aab'],
    ['http://a/u?s=1#part', 'http://a/u?s=1&digest=sha256%3Aab'],
  ])('%s keeps what stands on it', (url, wanted) => {
    expect(withParameter(new URL(url), 'digest', 'sha256:ab').href).toBe(wanted)
  })
})

it('the fallback tag fits the grammar of tags', () => {
  expect(fallbackTag(`sha256:${'a'.repeat(64)}`)).toBe(`sha256-${'a'.repeat(64)}`)
  expect(fallbackTag(`sha512:${'b'.repeat(128)}`)).toBe(`sha512-${'b'.repeat(64)}`)
})

it('secrets are taken out of texts wherever they stand', () => {
  const secrets = createSecrets()
  secrets.add('sesame')
  secrets.add('x')
  expect(secrets.conceal('open sesame, sesame x')).toBe('open ***, *** x')
})
