/** A context that keeps what is written, over an environment of its own. */

import { Writable } from 'node:stream'
import type { CliContext } from '../../src/cli/context.ts'
import { processEnvironment, type Environment } from '../../src/environment.ts'

export interface FakeContext extends CliContext {
  readonly written: { stdout: string; stderr: string }
  readonly controller: AbortController
}

export function fakeContext(
  overrides: Partial<Environment> = {},
  flags: { readonly isTty?: boolean; readonly colors?: boolean } = {},
): FakeContext {
  const written = { stdout: '', stderr: '' }
  const controller = new AbortController()
  return {
    written,
    controller,
    stdout(text) {
      written.stdout += text
    },
    stderr(text) {
      written.stderr += text
    },
    environment: { ...processEnvironment(), variables: {}, ...overrides },
    verbose: false,
    signal: controller.signal,
    setExitStatus() {},
    isTty: flags.isTty ?? false,
    colors: flags.colors ?? false,
    stdoutColors: false,
    rawStdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
  }
}
