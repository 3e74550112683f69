import { expect, it } from 'vitest'
import { isNumericOwner, resolveOwner } from '../../src/rootfs/owners.ts'

const users = {
  passwd:
    'root:x:0:0:root:/root:/bin/sh\n# comment\n\nnode:x:1000:1001::/home/node:/bin/sh\r\nbroken:x:y:z:\n',
  group: 'root:x:0:\nwww-data:x:33:a,b\nnode:x:1001:\n',
}

const cases: readonly (readonly [string, number, number])[] = [
  ['1000', 1000, 1000],
  ['1000:5', 1000, 5],
  ['node', 1000, 1001],
  ['node:www-data', 1000, 33],
  ['1234:node', 1234, 1001],
  ['node:0', 1000, 0],
  ['4294967295:0', 4_294_967_295, 0],
]

it.each(cases)('reads %s as %i:%i', (owner, uid, gid) => {
  expect(resolveOwner(owner, users)).toEqual({ uid, gid })
})

it.each(['nobody', 'node:staff', '4294967296', '0:4294967296', '', ':node', 'node:', 'a:b:c', 'broken'])(
  'says OCB-OWNER-UNKNOWN of "%s"',
  (owner) => {
    expect(() => resolveOwner(owner, users)).toThrow(expect.objectContaining({ code: 'OCB-OWNER-UNKNOWN' }))
  },
)

it('names what it looked for and what there is', () => {
  expect(() => resolveOwner('www', users)).toThrow(/no user "www"; its \/etc\/passwd has root, node$/)
  expect(() => resolveOwner('node:www', users)).toThrow(/no group "www".*root, www-data, node/)
  const none = { passwd: undefined, group: '' }
  expect(() => resolveOwner('node', none)).toThrow(/the image has no \/etc\/passwd/)
  expect(() => resolveOwner('1:node', none)).toThrow(/names nobody/)
})

it('knows owners that need no image', () => {
  expect(['0', '1000:1000'].every(isNumericOwner)).toBe(true)
  expect(['node', '0:node', 'node:0', '', '-1'].some(isNumericOwner)).toBe(false)
})
