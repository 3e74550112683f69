/** Entries that copy the same, of several images and platforms. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createCopyMemory } from '../../src/plan/copy-memory.ts'
import { copyEntry, failureOf, lines, makeFolder, planContext, planEntries } from './plan-helpers.ts'

it('are walked once, and each says whose they are and what was hidden from them', async () => {
  const root = makeFolder({ 'dist/a.js': 'a', 'dist/a.map': 'm', 'dist/b.map': 'm' })
  const context = planContext(root, { copies: createCopyMemory() })
  const entry = copyEntry(root, 'dist', '/app', { exclude: ['*.map'] })
  const first = await planEntries([entry], context)
  rmSync(join(root, 'dist/a.js'))
  const second = await planEntries([{ ...entry, at: 'images.b.layers[2].entries[1]' }], context)
  expect(lines(second.placements)).toEqual(['/app/', '/app/a.js'])
  expect(second.placements.map(({ origin }) => origin)).toEqual([
    'images.b.layers[2].entries[1]',
    'images.b.layers[2].entries[1]',
  ])
  expect(first.placements.map(({ origin }) => origin)).toEqual([entry.at, entry.at])
  expect(second.hidden).toEqual(first.hidden)
  expect(second.hidden).toMatchObject([{ rule: 'exclude "*.map"', count: 2 }])
})

it.each([{ to: '/other' }, { exclude: [] }, { mode: 0o600 }, { owner: '5:5' }, { follow: true }])(
  'are walked again where they differ in %o',
  async (more) => {
    const root = makeFolder({ 'dist/a.js': 'a', 'dist/b.js': 'b' })
    const context = planContext(root, { copies: createCopyMemory() })
    const entry = copyEntry(root, 'dist', '/app', { exclude: ['x'] })
    await planEntries([entry], context)
    rmSync(join(root, 'dist/b.js'))
    const { placements } = await planEntries([{ ...entry, ...more }], context)
    expect(placements).toHaveLength(2)
  },
)

it('that fail are failures of each', async () => {
  const root = makeFolder({})
  const context = planContext(root, { copies: createCopyMemory() })
  for (const at of ['one', 'two']) {
    const error = await failureOf(planEntries([{ ...copyEntry(root, 'missing', '/x'), at }], context))
    expect(error.message).toContain(`${at}.copy`)
  }
})
