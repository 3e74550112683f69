/** What `plan --why` prints of a layer. */

import { expect, it } from 'vitest'
import type { ComparedEntryView, LayerWhyView } from '../../src/build-types.ts'
import { createPaint } from '../../src/cli/paint.ts'
import { formatWhy } from '../../src/cli/print-why.ts'

const none = { against: 'the last build', added: 0, removed: 0, changed: 0, first: null } as const
const digest = (digit: string): string => `sha256:${digit.repeat(64)}`
const entry = (more: Partial<ComparedEntryView> = {}): ComparedEntryView => ({
  type: 'file',
  mode: '0644',
  uid: 0,
  gid: 0,
  mtime: 0,
  digest: digest('a'),
  origin: 'layers[0].entries[0]',
  ...more,
})
const lines = (view: LayerWhyView): readonly string[] => formatWhy(view, createPaint(false))

it('says in one line that there is nothing to say', () => {
  expect(lines({ ...none, status: 'new', against: null })).toEqual(['new: no earlier build of it is known'])
  expect(lines({ ...none, status: 'unchanged' })).toEqual(['as in the last build'])
  const compression = { before: 'gzip:5', after: 'zstd:3' }
  expect(lines({ ...none, status: 'rewritten', compression })).toEqual([
    'rewritten: it holds what the last build held, as zstd:3 in place of gzip:5',
  ])
  expect(lines({ ...none, status: 'rewritten' })).toEqual([
    'rewritten: it holds what the last build held, written by another encoder or format',
  ])
})

it('names the first path, what of it changed, both digests and who placed it', () => {
  const first = {
    path: '/app/a\u001b.js',
    change: 'changed',
    aspects: ['content', 'mode', 'owner', 'mtime'],
    before: entry(),
    after: entry({ digest: digest('b'), mode: '0755', gid: 7, mtime: 1e12, origin: 'layers[0].entries[1]' }),
  } as const
  expect(lines({ ...none, status: 'changed', changed: 3, added: 1, first })).toEqual([
    'changed since the last build: 3 changed, 1 added',
    'first changed: /app/a\\x1b.js by layers[0].entries[1]',
    `  content ${digest('a')} → ${digest('b')}`,
    '  mode    0644 → 0755',
    '  owner   0:0 → 0:7',
    '  mtime   1970-01-01T00:00:00Z → +033658-09-27T01:46:40Z',
    '  placed  by layers[0].entries[0] → by layers[0].entries[1]',
  ])
})

it('says what was removed, though a pushed image does not say who placed it', () => {
  const before = entry({ origin: undefined })
  const first = { path: '/x', change: 'removed', aspects: [], before, after: null } as const
  expect(lines({ ...none, against: 'a.b/c:1', status: 'changed', removed: 1, first })).toEqual([
    'changed since a.b/c:1: 1 removed',
    'first removed: /x',
    `  ${digest('a')}`,
  ])
})
