/**
 * `npm test`: installs what is not current, checks types, lint, format and the generated schema, compiles, and runs
 * the tests; arguments go to vitest (`npm test -- test/tar`). All checks run even when one fails. The last line is
 * `N passed, N failed, N skipped`.
 */

import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { ensureCompiled } from './lib/compile.mjs'
import { ensureInstalled } from './lib/install.mjs'
import { inRoot, main, ScriptError } from './lib/project.mjs'
import { checkSchema } from './lib/schema.mjs'
import { formatCounts, readReport } from './lib/test-report.mjs'
import { format, lint, runTool, typeCheck } from './lib/tools.mjs'

const reportFile = inRoot('node_modules', '.cache', 'ocibuild', 'tests.json')

await main(async () => {
  ensureInstalled()
  const failed = []
  const check = async (what, work) => {
    console.log(`\n${what}`)
    try {
      await work()
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error
      console.error(error.message)
      failed.push(what)
    }
  }
  await check('types', typeCheck)
  await check('lint', () => lint())
  await check('format', () => format('--check'))
  await check('compile', ensureCompiled)
  await check('schema', checkSchema)
  await check('tests', runTests)

  const report = readReport(reportFile)
  if (failed.length > 0) {
    console.error(`\nfailed: ${failed.join(', ')}`)
    process.exitCode = 1
  }
  console.log(`\n${formatCounts(report)}`)
  if (report.failed > 0 || report.passed === 0) process.exitCode = 1
})

function runTests() {
  // A report of an earlier run must not be read as this one's.
  rmSync(reportFile, { force: true })
  mkdirSync(dirname(reportFile), { recursive: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]
  runTool('vitest', ['run', ...reporters, ...process.argv.slice(2)])
}
