import { expect, it } from 'vitest'
import { directory, file, hardlink, lowerEntries, lowerOf, normalized, symlink } from '../helpers/layers.ts'

const lower = lowerEntries('d /etc', 'f /etc/passwd', 'f /etc/group')
const contents = {
  '/etc/passwd': 'root:x:0:0::/:/bin/sh\nnode:x:1000:1001::/home/node:/bin/sh\n',
  '/etc/group': 'root:x:0:\nstaff:x:50:node\n',
}

it('owners by name are those of the lower layers', async () => {
  const placements = [
    file('/a', 'x', { owner: 'node' }),
    file('/b', 'x', { owner: 'node:staff' }),
    symlink('/c', 'a', { owner: '7:staff' }),
    directory('/d', { owner: 'node:8' }),
    hardlink('/e', '/b'),
  ]
  const entries = await normalized(placements, lowerOf(lower, contents))
  expect(entries).toContain('f /a 0644 1000:1001 x')
  expect(entries).toContain('f /b 0644 1000:50 x')
  expect(entries).toContain('d /d 0755 1000:8')
})

it('owners by name are those of the layer itself where it brings a passwd', async () => {
  const placements = [file('/a', 'x', { owner: 'own' }), file('/etc/passwd', 'own:x:3:4::/:\n')]
  expect(await normalized(placements, lowerOf(lower, contents))).toContain('f /a 0644 3:4 x')
})

it('owners by name are found behind a link', async () => {
  const linked = lowerEntries('d /etc', 'l /etc/passwd ../usr/passwd', 'd /usr', 'f /usr/passwd')
  const placements = [file('/a', 'x', { owner: 'node' })]
  const files = { '/usr/passwd': contents['/etc/passwd'] }
  expect(await normalized(placements, lowerOf(linked, files))).toEqual(['f /a 0644 1000:1001 x'])
})

it('an owner that the image does not know is refused, naming the entry', async () => {
  const placements = [file('/a', 'x', { owner: 'nobody', origin: 'layers[2].entries[1]' })]
  await expect(normalized(placements, lowerOf(lower, contents))).rejects.toMatchObject({
    code: 'OCB-OWNER-UNKNOWN',
    message: expect.stringContaining('layers[2].entries[1]') as string,
  })
  await expect(normalized(placements, lowerOf())).rejects.toMatchObject({ code: 'OCB-OWNER-UNKNOWN' })
})
