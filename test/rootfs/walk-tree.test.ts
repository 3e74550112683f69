import { expect, it } from 'vitest'
import { createTree } from '../../src/rootfs/tree.ts'
import { walkTree } from '../../src/rootfs/walk-tree.ts'
import { lowerEntries } from '../helpers/layers.ts'

const tree = createTree([
  lowerEntries(
    'd /lib',
    'f /lib/x.so.1',
    'l /lib/x.so x.so.1',
    'l /lib/abs /etc/ssl',
    'l /lib/gone nowhere',
    'l /lib/self ../lib',
    'd /etc',
    'd /etc/ssl',
    'f /etc/ssl/cert.pem',
  ),
])

function walked(follow: ((path: string) => boolean) | undefined): string[] {
  return Array.from(walkTree(tree, 'lib', follow), ({ path, node }) => `${path} ${node.type} ${node.path}`)
}

it('leaves links as they are', () => {
  expect(walked(undefined)).toEqual([
    'x.so.1 file lib/x.so.1',
    'x.so symlink lib/x.so',
    'abs symlink lib/abs',
    'gone symlink lib/gone',
    'self symlink lib/self',
  ])
})

it('gives what links lead to, inside the image', () => {
  expect(walked((path) => path !== 'gone' && path !== 'self')).toEqual([
    'x.so.1 file lib/x.so.1',
    'x.so file lib/x.so.1',
    'abs directory etc/ssl',
    'abs/cert.pem file etc/ssl/cert.pem',
  ])
})

it('refuses a wanted link that leads to nothing, or to where it lies', () => {
  expect(() => walked((path) => path !== 'self')).toThrow('/lib/gone of the image is a symlink to "nowhere"')
  expect(() => walked((path) => path !== 'gone')).toThrow('/lib/self of the image is a symlink to /lib')
})
