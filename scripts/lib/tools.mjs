/** The development tools of the project, run by their files: no shell, no npx, the same on every system. */

import { readFileSync } from 'node:fs'
import { inRoot, runNode } from './project.mjs'

/** Runs the command of an installed package; `options` as in `run`. */
export function runTool(name, args, options) {
  const { bin } = JSON.parse(readFileSync(inRoot('node_modules', packageOf(name), 'package.json'), 'utf8'))
  return runNode([inRoot('node_modules', packageOf(name), bin[name]), ...args], options)
}

function packageOf(name) {
  return name === 'tsc' ? 'typescript' : name
}

export function typeCheck() {
  runTool('tsc', ['-p', 'tsconfig.json'])
  runTool('tsc', ['-p', 'tsconfig.examples.json'])
}
export const lint = (...args) => runTool('oxlint', ['--deny-warnings', ...args])
export const format = (...args) => runTool('oxfmt', args)
