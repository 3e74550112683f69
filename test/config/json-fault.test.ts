import { describe, expect, it } from 'vitest'
import { findJsonFault } from '../../src/config/json-fault.ts'
import { errorOf, folderWith, resolveFolder } from './helpers.ts'

describe('a JSON config that is none', () => {
  it.each([
    ['{ "layers": [ }', 14],
    ['{"a": 1,}', 8],
    ['[1, 2,, 3]', 6],
    ['{"a" 1}', 5],
    ['{a: 1}', 1],
    ["{'a': 1}", 1],
    ['{"a": "b', 6],
    ['{"a": [1, {"b": tru', 16],
    ['{"a": "\\x"}', 6],
    ['{"a": 01}', 7],
    ['{} {}', 3],
    ['[[1], {"x": -1.5e3, "y": null, "z": [true, false]}', 50],
    ['', 0],
  ])('%s has its fault at offset %i', (text, offset) => {
    expect(() => JSON.parse(text)).toThrow()
    expect(findJsonFault(text)).toBe(offset)
  })

  it('is told with its line and column, on every release of Node.js', async () => {
    const folder = folderWith({ 'oci.config.json': '{\n  "name": "app",\n  "tags": ["a",]\n}\n' })
    const error = await errorOf(resolveFolder(folder))
    expect(error.code).toBe('OCB-SPEC-PARSE')
    expect(error.message).toContain('oci.config.json:3:16 is not JSON')
    expect(error.problems).toMatchObject([{ line: 3, column: 16 }])
  })
})
