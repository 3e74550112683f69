// Left out of the image by the spec's exclude.
import { strict as assert } from 'node:assert'
import { test } from 'node:test'

test('the channel has a name', () => {
  assert.ok((process.env.CHANNEL ?? 'stable').length > 0)
})
