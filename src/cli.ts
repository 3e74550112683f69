#!/usr/bin/env node
/** Where the process starts. It loads what it runs and no more: the time until then is added to every command. */

import { keepCompiledCode } from './cli/compile-cache.ts'
import { readVersion } from './cli/version.ts'

const [word, ...rest] = process.argv.slice(2)
if ((word === '--version' || word === '-V') && rest.length === 0) {
  process.stdout.write(`${readVersion()}\n`)
} else {
  keepCompiledCode()
  void run()
}

async function run(): Promise<void> {
  const { runProcess } = await import('./cli/run-process.ts')
  await runProcess()
}
