#!/usr/bin/env node
/** Where the process starts. It loads what it runs and no more: the time until then is added to every command. */

import module from 'node:module'
import { readVersion } from './cli/version.ts'

const [word, ...rest] = process.argv.slice(2)
if ((word === '--version' || word === '-V') && rest.length === 0) {
  process.stdout.write(`${readVersion()}\n`)
} else {
  // From Node.js 22.1 on: what is compiled is kept for the next start.
  const keep: unknown = Reflect.get(module, 'enableCompileCache')
  if (typeof keep === 'function') Reflect.apply(keep, module, [])
  void run()
}

async function run(): Promise<void> {
  const { runProcess } = await import('./cli/run-process.ts')
  await runProcess()
}
