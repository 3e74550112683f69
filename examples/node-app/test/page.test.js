import { test } from 'node:test'
import { readFileSync } from 'node:fs'
import assert from 'node:assert/strict'

test('the page greets', () => {
  assert.match(readFileSync(new URL('../views/index.html', import.meta.url), 'utf8'), /Hello/)
})
