/** Names come from anybody's files: none of them speaks to the terminal (a name may hold an escape sequence). */

import { expect, it } from 'vitest'
import { formatEntries } from '../../src/cli/entry-tree.ts'
import { createPaint } from '../../src/cli/paint.ts'
import { formatStepEnd } from '../../src/cli/plain-progress.ts'
import { formatError, formatWarning } from '../../src/cli/print-error.ts'
import { formatPlan } from '../../src/cli/print-plan.ts'
import { formatSummary } from '../../src/cli/summary.ts'
import type { PlannedEntryView } from '../../src/build-types.ts'
import { OciBuildError } from '../../src/errors.ts'
import { fakeImage, fakePlan, fakeResult } from './fake-result.ts'

const evil = 'a\u001b[2Jb\rc\u009b'
const shown = 'a\\x1b[2Jb\\x0dc\\x9b'
const paint = createPaint(false)

function harmless(text: string): void {
  expect(text).toContain(shown)
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
}

it('not in errors, problems, hints and warnings', () => {
  const problems = [{ path: evil, message: evil, file: 'x' }]
  harmless(formatError(new OciBuildError('OCB-TEST', { message: evil }), paint, false))
  harmless(formatError(new OciBuildError('OCB-TEST', { message: 'm', hint: evil }), paint, false))
  harmless(formatError(new OciBuildError('OCB-TEST', { message: 'two\nlines', problems }), paint, false))
  harmless(formatWarning({ code: 'OCB-TEST', message: evil, hint: evil }, paint))
})

it('not in titles of steps', () => {
  const end = { type: 'step-end', id: '1', stage: 'layer', title: evil, durationMs: 1 } as const
  harmless(formatStepEnd(end, paint))
})

it('not in plans and summaries', () => {
  const entry: PlannedEntryView = {
    path: `/${evil}`,
    type: 'symlink',
    mode: '0777',
    uid: 0,
    gid: 0,
    size: 0,
    target: evil,
    source: evil,
  }
  for (const all of [true, false]) harmless(formatEntries([entry], { all, indent: '', paint }).join('\n'))
  const [image] = fakePlan().images
  const [platform] = image?.platforms ?? []
  const layer = {
    name: evil,
    compression: 'none',
    files: 0,
    size: 0,
    entries: [],
    hidden: [{ rule: evil, count: 1 }],
  }
  if (image === undefined || platform === undefined) throw new Error('a plan without images')
  const images = [{ ...image, platforms: [{ ...platform, layers: [layer] }] }]
  harmless(formatPlan({ ...fakePlan(), images }, false, paint))
  const [built] = fakeImage().platforms
  if (built === undefined) throw new Error('an image without platforms')
  const platforms = [{ ...built, layers: built.layers.map((one) => ({ ...one, name: evil })) }]
  harmless(formatSummary(fakeResult([fakeImage({ platforms })]), { colors: false }))
})
