import { expect, it } from 'vitest'
import { formatSummary } from '../../src/cli/summary.ts'

const reasons = [
  { path: 'libs/lib/index.js', because: 'the workspace package lib' },
  { path: 'oci.config.ts', because: 'the config file' },
]

it('says which images are affected, and why', () => {
  const images = [
    { image: 'web', name: 'team/web', affected: true, reasons },
    { image: null, name: 'team/api', affected: false, reasons: [] },
  ]
  const affected = { since: 'main', images }
  const text = formatSummary(
    { schemaVersion: 1, images: [], affected, warnings: [], durationMs: 5 },
    { colors: false },
  )
  expect(text.split('\n')).toEqual([
    '',
    '1 of 2 images is affected by what changed since main',
    '  web  libs/lib/index.js (the workspace package lib) and 1 more',
    '  team/api  unchanged',
    '',
    expect.stringContaining('nothing to build'),
    '',
  ])
})

it('says that there is nothing to build', () => {
  const affected = { since: 'main', images: [{ image: 'web', name: 'web', affected: false, reasons: [] }] }
  const text = formatSummary(
    { schemaVersion: 1, images: [], affected, warnings: [], durationMs: 5 },
    { colors: false },
  )
  expect(text).toContain('no image is affected by what changed since main\n')
  expect(text).toContain('nothing to build')
})
