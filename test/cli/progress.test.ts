/** Events as lines, as JSON and as frames on a terminal. */

import { Writable } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { formatRunning } from '../../src/cli/live-progress.ts'
import { createPaint, wantsColors } from '../../src/cli/paint.ts'
import { createProgress } from '../../src/cli/progress.ts'
import { formatCounts, StepState } from '../../src/cli/step-state.ts'
import type { BuildEvent } from '../../src/events.ts'
import { fakeContext } from './fake-context.ts'

const layerStart: BuildEvent = {
  type: 'step-start',
  id: 's',
  stage: 'layer',
  title: 'app',
  unit: 'bytes',
  total: 100e6,
}

function clock(): { now: () => number; set(ms: number): void } {
  let ms = 0
  return { now: () => ms, set: (to) => void (ms = to) }
}

describe('plain', () => {
  it('writes one line a finished step', async () => {
    const context = fakeContext()
    const { onEvent } = await createProgress('auto', context, { warnings: true })
    onEvent(layerStart)
    onEvent({ type: 'step-progress', id: 's', done: 5e6 })
    onEvent({ type: 'step-end', id: 's', stage: 'layer', title: 'app', detail: '12.3 MB', durationMs: 1234 })
    expect(context.written.stderr).toBe('layer    app  12.3 MB  1.2 s\n')
  })

  it('says whose lines a child prints, and that a step was cached', async () => {
    const context = fakeContext()
    const { onEvent } = await createProgress('plain', context, { warnings: true })
    onEvent({ type: 'step-start', id: 'p', stage: 'prepare', title: 'npm run build' })
    onEvent({ type: 'output-line', id: 'p', line: 'compiled' })
    onEvent({ type: 'step-end', id: 'p', stage: 'prepare', title: 'npm run build', durationMs: 5 })
    onEvent({ type: 'step-end', id: 's', stage: 'layer', title: 'app', cached: true, durationMs: 3 })
    expect(context.written.stderr).toBe(
      'prepare  npm run build\n  | compiled\nprepare  npm run build  5 ms\nlayer    app  cached  3 ms\n',
    )
  })

  it('gives a sign of life every ten seconds of a long step', async () => {
    const { now, set } = clock()
    const context = fakeContext({ now })
    const { onEvent } = await createProgress('plain', context, { warnings: true })
    onEvent(layerStart)
    for (let second = 1; second <= 25; second += 1) {
      set(second * 1000)
      onEvent({ type: 'step-progress', id: 's', done: second * 1e6 })
    }
    expect(context.written.stderr).toBe(
      'layer    app  … 10.0 MB of 100.0 MB, 1.0 MB/s\nlayer    app  … 20.0 MB of 100.0 MB, 1.0 MB/s\n',
    )
  })
})

describe('none', () => {
  it('still prints warnings, with their hints', async () => {
    const context = fakeContext()
    const { onEvent } = await createProgress('none', context, { warnings: true })
    onEvent(layerStart)
    onEvent({ type: 'warning', warning: { code: 'OCB-X', message: 'odd', hint: 'mend' } })
    expect(context.written.stderr).toBe('warning OCB-X: odd\nhint: mend\n')
  })
})

describe('live', () => {
  const paint = createPaint(false)

  it('draws a bar, counts and a rate, no wider than the terminal', () => {
    const steps = new StepState()
    steps.take(layerStart, 0)
    steps.take({ type: 'step-progress', id: 's', done: 25e6 }, 1000)
    const [step] = steps.running.values()
    if (step === undefined) throw new Error('the step does not run')
    expect(formatCounts(step, 1000)).toBe('25.0 MB of 100.0 MB, 25.0 MB/s')
    for (const width of [30, 40, 60, 80, 200]) {
      const lines = formatRunning(step, { nowMs: 1000, width, titleWidth: 3, frame: 0, paint })
      for (const line of lines) expect(line.length).toBeLessThan(width)
      expect(lines.join('\n')).toContain('25 %')
      expect(lines.join('\n')).toContain('app')
    }
  })

  it("keeps a child's cursor codes off the screen", () => {
    const steps = new StepState()
    steps.take({ type: 'step-start', id: 'p', stage: 'prepare', title: 'x' }, 0)
    steps.take({ type: 'output-line', id: 'p', line: '\u001B[2J\u001B[1Agone\r\u0007' }, 1)
    const [step] = steps.running.values()
    if (step === undefined) throw new Error('the step does not run')
    const lines = formatRunning(step, { nowMs: 9, width: 80, titleWidth: 1, frame: 0, paint })
    expect(lines[1]).toBe('  | gone')
  })

  it('draws running steps, keeps finished ones, and marks what failed', async () => {
    const { createLiveProgress } = await import('../../src/cli/live-progress.ts')
    const { now, set } = clock()
    const context = fakeContext({ now }, { isTty: true })
    let text = ''
    const stream = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk)
        done()
      },
    })
    const terminal = Object.assign(stream, { columns: 80, rows: 24, isTTY: true })
    const view = await createLiveProgress(context, terminal as unknown as NodeJS.WriteStream)
    view.onEvent(layerStart)
    view.onEvent({ type: 'step-start', id: 'p', stage: 'prepare', title: 'npm test' })
    view.onEvent({ type: 'output-line', id: 'p', line: 'not ok 1' })
    set(500)
    view.onEvent({ type: 'step-end', id: 's', stage: 'layer', title: 'app', detail: '1 MB', durationMs: 9 })
    expect(stripVTControlCharacters(text)).toContain('✔ layer    app  1 MB  9 ms\n')
    expect(stripVTControlCharacters(text)).toContain('| not ok 1')
    text = ''
    view.close('failed')
    expect(stripVTControlCharacters(text)).toContain('✖ prepare  npm test\n')
  })
})

describe('colours', () => {
  it.each([
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    [{ FORCE_COLOR: '1' }, false, true],
    [{ FORCE_COLOR: '0' }, true, false],
    [{ TERM: 'dumb' }, true, false],
  ])('%j on a terminal (%s): %s', (variables, isTerminal, expected) => {
    expect(wantsColors(variables, isTerminal)).toBe(expected)
  })
})
