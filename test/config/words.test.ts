/** Small words: durations, times, tags of versions, near misses, how values are shown. */

import { describe, expect, it } from 'vitest'
import { semverTags } from '../../src/config/define-config.ts'
import { describeValue, formatPath, joinWords } from '../../src/config/describe-value.ts'
import {
  formatCompressions,
  isRepositoryName,
  parseCompressions,
  parseDuration,
  parseTime,
} from '../../src/config/grammar.ts'
import { nearest } from '../../src/config/nearest.ts'
import { sanitiseName } from '../../src/config/package-json.ts'

describe('words', () => {
  it.each([
    ['1.4.0', ['1.4.0', '1.4', '1']],
    ['v1.4.0', ['1.4.0', '1.4', '1']],
    ['1.4.0-rc.1', ['1.4.0-rc.1']],
    ['1.4.0+build.7', ['1.4.0', '1.4', '1']],
    ['0.3.1', ['0.3.1', '0.3']],
    ['main', []],
    [undefined, []],
  ])('semverTags(%j) is %j', (version, tags) => {
    expect(semverTags(version)).toEqual(tags)
  })

  it.each(['none', 'gzip:5', 'zstd:19', 'gzip:9,zstd:3'])(
    'the compression %s is read as it is written',
    (text) => {
      expect(formatCompressions(parseCompressions(text))).toBe(text)
    },
  )

  it.each([
    ['30s', 30e9],
    ['1m30s', 90e9],
    ['1.5h', 5400e9],
    ['500ms', 5e8],
    ['0', 0],
    ['30', undefined],
    ['s', undefined],
    ['1m 30s', undefined],
    ['-1s', undefined],
  ])('the duration %j is %j nanoseconds', (text, wanted) => {
    expect(parseDuration(text)).toBe(wanted)
  })

  it.each([
    ['1970-01-01T00:00:00Z', 0],
    ['2024-01-31T12:00:00+01:00', 1_706_698_800],
    ['2024-02-30T12:00:00Z', undefined],
    ['2024-01-31', undefined],
    ['1969-12-31T23:59:59Z', undefined],
  ])('the time %j is %j', (text, wanted) => {
    expect(parseTime(text)).toBe(wanted)
  })

  it.each([
    ['app', true],
    ['team/my_app.x--y', true],
    ['localhost:5000/a', true],
    ['Registry.example.com/a', true],
    ['[::1]:5000/a', true],
    ['a/B', false],
    ['a//b', false],
    ['a:b', false],
    ['-a', false],
    ['a@sha256:x', false],
  ])('the name %j is a repository: %j', (text, wanted) => {
    expect(isRepositoryName(text)).toBe(wanted)
  })

  it.each(['My Folder!', '..a..b', 'a___b', 'a-_-b', '__x', 'ÄÖÜ-x', `${'a'.repeat(300)}`])(
    'any name becomes a repository: %j',
    (text) => {
      expect(isRepositoryName(sanitiseName(text) ?? '')).toBe(true)
    },
  )

  it('nothing usable becomes no name', () => {
    expect(sanitiseName('!!!')).toBeUndefined()
  })

  it.each([
    ['exclud', 'exclude'],
    ['working_dir', 'workingDir'],
    ['tasg', 'tags'],
    ['WORKINGDIR', 'workingDir'],
    ['zzz', undefined],
  ])('%j was meant as %j', (word, wanted) => {
    expect(nearest(word, ['name', 'tags', 'exclude', 'workingDir'])).toBe(wanted)
  })

  it('values and paths are shown short', () => {
    expect(describeValue('x'.repeat(500)).length).toBeLessThan(130)
    expect([undefined, [], [1], {}, true, () => 1].map(describeValue)).toEqual([
      'nothing',
      'an empty list',
      'a list',
      'an empty object',
      'true',
      'a function',
    ])
    expect(formatPath(['layers', 1, 'entries', 0, 'a.b'])).toBe('layers[1].entries[0]["a.b"]')
    expect(joinWords(['a', 'b', 'c'], 'or')).toBe('a, b or c')
  })
})
