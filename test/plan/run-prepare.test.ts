/** The commands that run before anything is copied. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { processEnvironment } from '../../src/environment.ts'
import { createReporter, type BuildEvent } from '../../src/events.ts'
import { runPrepare } from '../../src/plan/run-prepare.ts'
import { failureOf, makeFolder } from './plan-helpers.ts'

const environment = processEnvironment()
/** A command that waits, of nothing but Node.js. */
const waiting = 'node -e "setTimeout(() => {}, 60000)"'

function prepare(
  cwd: string,
  commands: readonly string[],
  signal?: AbortSignal,
): { readonly done: Promise<void>; readonly printed: readonly string[] } {
  const printed: string[] = []
  const listener = (event: BuildEvent): void => {
    if (event.type === 'output-line') printed.push(event.line)
    if (event.type === 'step-start') printed.push(`$ ${event.title}`)
  }
  const reporter = createReporter(listener, signal, environment.now)
  return { done: runPrepare(commands, { cwd, environment, reporter }), printed }
}

describe('prepare', () => {
  it('runs commands in order through the shell and tells the lines of both outputs', async () => {
    const { done, printed } = prepare(makeFolder(), ['echo a && echo b >&2', 'echo $((1 + 1))'])
    await done
    expect(printed).toEqual(['$ echo a && echo b >&2', 'a', 'b', '$ echo $((1 + 1))', '2'])
  })

  it("has the project's own programs first on PATH, and its folder as working directory", async () => {
    const root = makeFolder({ 'node_modules/.bin/ls': { text: '#!/bin/sh\necho mine; pwd', mode: 0o755 } })
    const { done, printed } = prepare(root, ['ls'])
    await done
    expect(printed).toEqual(['$ ls', 'mine', root])
  })

  it('sees only the variables of the environment it is given', async () => {
    const lines: string[] = []
    const reporter = createReporter(
      (event) => void (event.type === 'output-line' && lines.push(event.line)),
      undefined,
      environment.now,
    )
    const variables = { PATH: environment.variables['PATH'], ONLY: 'this' }
    const options = { cwd: makeFolder(), environment: { ...environment, variables }, reporter }
    await runPrepare(['echo "$ONLY/$HOME"'], options)
    expect(lines).toEqual(['this/'])
  })

  it('stops at the first failure and says command, exit code and last lines', async () => {
    const { done, printed } = prepare(makeFolder(), [
      'i=0; while [ $i -lt 30 ]; do i=$((i + 1)); echo $i; done; echo "\x1b[31mbad\x1b[0m" && exit 3',
      'echo never',
    ])
    const failure = await failureOf(done)
    expect(failure.code).toBe('OCB-PREPARE-FAILED')
    expect(failure.message).toContain('exit code 3')
    expect(failure.message).toContain('\n  30\n  bad')
    expect(failure.message).not.toContain('\n  11\n')
    expect(printed.join()).not.toContain('never')
  })

  it('names the signal that ended a command', async () => {
    const failure = await failureOf(prepare(makeFolder(), ['kill -9 $$']).done)
    expect(failure.message).toContain('SIGKILL')
  })

  it('says that it could not start where the folder is missing', async () => {
    const failure = await failureOf(prepare('/nowhere/at/all', ['true']).done)
    expect(failure.code).toBe('OCB-PREPARE-FAILED')
    expect(failure.message).toContain('/nowhere/at/all')
  })

  it('kills the whole tree of a command when the build is interrupted', async () => {
    const root = makeFolder()
    const pidFile = join(root, 'pid')
    writeFileSync(pidFile, '')
    const controller = new AbortController()
    const { done } = prepare(root, [`(${waiting} & echo $! > pid; wait); true`], controller.signal)
    while (readFileSync(pidFile, 'utf8').trim() === '') await sleep(20)
    const pid = Number(readFileSync(pidFile, 'utf8'))
    expect(() => process.kill(pid, 0)).not.toThrow()
    controller.abort()
    expect((await failureOf(done)).code).toBe('OCB-INTERRUPTED')
    await expect.poll(() => isRunning(pid), { timeout: 3000 }).toBe(false)
  })

  it('starts nothing when it was interrupted before', async () => {
    const { done, printed } = prepare(makeFolder(), ['echo a'], AbortSignal.abort())
    expect((await failureOf(done)).code).toBe('OCB-INTERRUPTED')
    expect(printed).toEqual([])
  })
})

/** A killed orphan may stay a zombie where nobody reaps it. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
