/** Symbol versions in short, and beside what the loader's own tools say of this host's libraries. */

import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readElfVersions } from '../../src/node/elf-versions.ts'
import { modulesOf } from '../../src/node/node-abi.ts'
import { lackingVersion, summariseVersions } from '../../src/node/symbol-versions.ts'
import { findLibraries } from '../../src/node/shared-libraries.ts'

describe('symbol versions', () => {
  const names = [
    'GLIBC_2.2.5',
    'GLIBC_2.36',
    'GLIBC_2.9',
    'GLIBC_PRIVATE',
    'CXXABI_1.3.13',
    'CXXABI_ARM_1.3.3',
  ]

  it('are the highest of each family, by number, and all that have none', () => {
    expect(summariseVersions(names)).toBe('CXXABI_1.3.13 CXXABI_ARM_1.3.3 GLIBC_2.36 GLIBC_PRIVATE')
    expect(summariseVersions(names.toReversed())).toBe(summariseVersions(names))
    expect(summariseVersions([])).toBe('')
  })

  it.each<[readonly string[], object | undefined]>([
    [['GLIBC_2.36', 'GLIBC_2.4', 'CXXABI_1.3', 'GLIBC_PRIVATE'], undefined],
    [[], undefined],
    [['GLIBC_2.37', 'GLIBC_2.100', 'GLIBC_2.3'], { version: 'GLIBC_2.100', highest: 'GLIBC_2.36' }],
    [['CXXABI_1.3.13.1'], { version: 'CXXABI_1.3.13.1', highest: 'CXXABI_1.3.13' }],
    [['GLIBC_ABI_DT_RELR'], { version: 'GLIBC_ABI_DT_RELR', highest: undefined }],
    [['GLIBCXX_3.4'], { version: 'GLIBCXX_3.4', highest: undefined }],
  ])('%j of them lack %j', (wanted, lack) => {
    expect(lackingVersion(summariseVersions(names), wanted)).toEqual(lack)
  })

  it('are not asked of a library that has none', () => {
    expect(lackingVersion('', ['GLIBC_2.99'])).toBeUndefined()
  })

  it('have the module version of the Node.js that runs the tests', () => {
    expect(modulesOf(process.versions.node)).toBe(Number(process.versions.modules))
    expect(modulesOf('9999.0.0')).toBeUndefined()
  })

  const needs =
    process.platform === 'linux' ? readElfVersions(realpathSync(process.execPath)).needs : new Map()
  // A Node.js of musl, or one that is linked statically, asks for none.
  it.skipIf(needs.size === 0)(
    'of what this Node.js needs are defined by the libraries that it runs with',
    () => {
      const program = realpathSync(process.execPath)
      const { libraries } = findLibraries({ root: '/', libraryPath: [] }, program, [])
      const found = new Map(libraries.map(({ name, realPath }) => [name, realPath]))
      for (const [library, versions] of needs) {
        const path = found.get(library)
        if (path === undefined) continue
        const summary = summariseVersions(readElfVersions(path).defines)
        expect(lackingVersion(summary, versions), library).toBeUndefined()
        expect(lackingVersion(summary, ['GLIBC_99.1', 'GLIBCXX_99.1', 'GCC_99.1']), library).toBeDefined()
      }
      expect(execFileSync(program, ['--version'], { encoding: 'utf8' })).toMatch(/^v\d/)
    },
  )
})
