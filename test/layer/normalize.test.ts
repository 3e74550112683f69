import { describe, expect, it } from 'vitest'
import { normalizeLayer } from '../../src/layer/normalize.ts'
import { refuses, table } from '../helpers/layer-tables.ts'
import {
  directory,
  file,
  folder,
  layerOf,
  lowerEntries,
  lowerOf,
  normalized,
  remove,
  symlink,
} from '../helpers/layers.ts'

describe('parents', () => {
  table([
    {
      title: 'are written 0755 0:0 where no layer has them',
      placements: [file('/a/b/c', 'x')],
      entries: ['d /a 0755 0:0', 'd /a/b 0755 0:0', 'f /a/b/c 0644 0:0 x'],
    },
    {
      title: 'keep the mode and owner that a lower layer gives them',
      lower: lowerEntries('d /var 0711 3:4', 'd /var/lib 1777 5:6'),
      placements: [file('/var/lib/app/x', 'x')],
      entries: [
        'd /var 0711 3:4',
        'd /var/lib 1777 5:6',
        'd /var/lib/app 0755 0:0',
        'f /var/lib/app/x 0644 0:0 x',
      ],
    },
    {
      title: 'that a lower layer only implies are 0755 0:0',
      lower: lowerEntries('f /opt/tool/run'),
      placements: [file('/opt/tool/x', 'x')],
      entries: ['d /opt 0755 0:0', 'd /opt/tool 0755 0:0', 'f /opt/tool/x 0644 0:0 x'],
    },
    {
      title: 'of a whiteout are written too',
      lower: lowerEntries('d /var 0700 1:1', 'd /var/cache 0750 2:2', 'f /var/cache/x'),
      placements: [remove('/var/cache/x')],
      entries: ['d /var 0700 1:1', 'd /var/cache 0750 2:2', 'w /var/cache/x'],
    },
    {
      title: 'never include the root, unless the spec describes it',
      placements: [directory('/', { mode: 0o700 }), file('/a', 'x')],
      entries: ['d / 0700 0:0', 'f /a 0644 0:0 x'],
    },
  ])

  it('keep extended attributes of lower layers, and an explicit directory has none', async () => {
    const xattrs = { 'user.a': 'MQ==' }
    const lower = lowerOf(lowerEntries('d /a', 'd /b', 'f /x').map((entry) => ({ ...entry, xattrs })))
    const placements = [folder('/a', { mode: 0o700 }), directory('/b')]
    const { entries } = await normalizeLayer(layerOf(placements), lower.open)
    expect(entries).toMatchObject([
      { path: 'a', mode: 0o700, xattrs },
      { path: 'b', mode: 0o755, xattrs: undefined },
    ])
  })
})

describe('a directory', () => {
  const lower = lowerEntries('d /app 0700 7:8')
  table([
    {
      title: 'that a copy brings keeps the mode and owner of the lower one',
      lower,
      placements: [folder('/app')],
      entries: ['d /app 0700 7:8'],
    },
    {
      title: 'that a copy brings takes the mode and the owner that the user gave, each for itself',
      lower: lowerEntries('d /a 0700 7:8', 'd /b 0700 7:8'),
      placements: [folder('/a', { mode: 0o555 }), folder('/b', { owner: '1:2' })],
      entries: ['d /a 0555 7:8', 'd /b 0700 1:2'],
    },
    {
      title: 'of the spec is 0755 0:0 unless the spec says otherwise',
      lower,
      placements: [directory('/app')],
      entries: ['d /app 0755 0:0'],
    },
    {
      title: 'of the spec stays as the spec says when a copy brings it along, before or after',
      lower,
      placements: [
        folder('/app', { owner: '9:9' }),
        directory('/app', { mode: 0o711 }),
        folder('/app', { mode: 0o700 }),
        file('/app/x', 'x'),
      ],
      entries: ['d /app 0711 0:0', 'f /app/x 0644 0:0 x'],
    },
    {
      title: 'put on a link to a directory goes where the link leads',
      lower: lowerEntries('d /usr', 'd /usr/bin 0711 1:1', 'l /bin usr/bin'),
      placements: [folder('/bin'), file('/bin/x', 'x')],
      entries: ['d /usr 0755 0:0', 'd /usr/bin 0711 1:1', 'f /usr/bin/x 0644 0:0 x'],
    },
    {
      title: 'may replace a file of the same layer',
      placements: [file('/a'), directory('/a')],
      entries: ['d /a 0755 0:0'],
    },
  ])
  refuses([
    ['over a lower file is refused', 'OCB-ENTRY-BELOW-FILE', [folder('/a')], lowerEntries('f /a')],
    [
      'of the spec over a lower link is refused, not moved to where the link leads',
      'OCB-ENTRY-BELOW-FILE',
      [directory('/bin'), file('/bin/x'), file('/opt/x')],
      lowerEntries('d /usr', 'd /usr/bin', 'l /bin usr/bin'),
    ],
    [
      'over a lower file is refused, also where the layer has put a file there first',
      'OCB-ENTRY-BELOW-FILE',
      [file('/d/a'), directory('/d/a')],
      lowerEntries('f /d/a'),
    ],
  ])
})

describe('paths', () => {
  const debian = lowerEntries('d /usr', 'd /usr/bin', 'd /usr/lib', 'l /bin usr/bin', 'l /lib /usr/lib')
  table([
    {
      title: 'go through a relative link of a lower layer',
      lower: debian,
      placements: [file('/bin/x', 'x')],
      entries: ['d /usr 0755 0:0', 'd /usr/bin 0755 0:0', 'f /usr/bin/x 0644 0:0 x'],
    },
    {
      title: 'go through an absolute link of a lower layer',
      lower: debian,
      placements: [symlink('/lib/x', 'y')],
      entries: ['d /usr 0755 0:0', 'd /usr/lib 0755 0:0', 'l /usr/lib/x -> y'],
    },
    {
      title: 'go through chains of links, with .. in them',
      lower: lowerEntries(
        'd /a',
        'd /a/real',
        'l /a/one ../two/',
        'l /two ./three',
        'l /three /a/./x/../real',
      ),
      placements: [file('/a/one/f', 'x')],
      entries: ['d /a 0755 0:0', 'd /a/real 0755 0:0', 'f /a/real/f 0644 0:0 x'],
    },
    {
      title: 'of links that lead above the root stay below it',
      lower: lowerEntries('l /up ../../..', 'd /etc'),
      placements: [file('/up/etc/f', 'x')],
      entries: ['d /etc 0755 0:0', 'f /etc/f 0644 0:0 x'],
    },
    {
      title: 'through a dangling link make the directories that it misses',
      lower: lowerEntries('l /data /mnt/disk'),
      placements: [file('/data/f', 'x')],
      entries: ['d /mnt 0755 0:0', 'd /mnt/disk 0755 0:0', 'f /mnt/disk/f 0644 0:0 x'],
    },
    {
      title: 'do not follow a link at their end',
      lower: debian,
      placements: [file('/bin', 'x')],
      entries: ['f /bin 0644 0:0 x'],
    },
    {
      title: 'do not go through a link that the layer has removed',
      lower: debian,
      placements: [file('/bin/before', 'x'), remove('/bin'), file('/bin/x', 'x')],
      entries: [
        'd /bin 0755 0:0',
        'o /bin',
        'f /bin/x 0644 0:0 x',
        'd /usr 0755 0:0',
        'd /usr/bin 0755 0:0',
        'f /usr/bin/before 0644 0:0 x',
      ],
    },
    {
      title: 'are the same file on both sides of a link, and the later one wins',
      lower: debian,
      placements: [file('/usr/bin/x', 'first'), file('/bin/x', 'second')],
      entries: ['d /usr 0755 0:0', 'd /usr/bin 0755 0:0', 'f /usr/bin/x 0644 0:0 second'],
    },
  ])
  refuses([
    [
      'of links that lead in a circle are refused',
      'OCB-PATH-LOOP',
      [file('/a/x')],
      lowerEntries('l /a b', 'l /b a'),
    ],
    [
      'below a link that the layer puts over a lower link are refused, also when used before',
      'OCB-ENTRY-BELOW-FILE',
      [file('/bin/x'), symlink('/bin', 'other'), file('/bin/y')],
      debian,
    ],
  ])
})

describe('one layer', () => {
  table([
    {
      title: 'keeps the later of two entries at a path',
      placements: [file('/a', '1'), symlink('/a', 'x'), file('/a', '2')],
      entries: ['f /a 0644 0:0 2'],
    },
    {
      title: 'may put a file over an empty directory of its own',
      placements: [directory('/a'), file('/a', '1')],
      entries: ['f /a 0644 0:0 1'],
    },
    {
      title: 'may put a file over an empty directory of a lower layer',
      lower: lowerEntries('d /d', 'd /d/a'),
      placements: [file('/d/a', '1')],
      entries: ['d /d 0755 0:0', 'f /d/a 0644 0:0 1'],
    },
    { title: 'of nothing has no entries', placements: [], entries: [] },
    { title: 'of the root alone has no entries', placements: [folder('/')], entries: [] },
  ])
  refuses([
    ['refuses a file over its directory with children', 'OCB-ENTRY-BELOW-FILE', [file('/a/b'), file('/a')]],
    ['refuses an entry below its file', 'OCB-ENTRY-BELOW-FILE', [file('/a'), file('/a/b')]],
    ['refuses an entry far below its file', 'OCB-ENTRY-BELOW-FILE', [file('/a'), file('/a/b/c/d')]],
    ['refuses an entry below its own link', 'OCB-ENTRY-BELOW-FILE', [symlink('/a', 'b'), directory('/a/c')]],
    ['refuses an entry below a lower file', 'OCB-ENTRY-BELOW-FILE', [file('/a/b/c')], lowerEntries('f /a')],
    [
      'refuses a file over a lower directory with children',
      'OCB-ENTRY-OVER-DIRECTORY',
      [file('/d/a')],
      lowerEntries('f /d/a/b'),
    ],
    ['refuses a file at the root', 'OCB-ENTRY-OVER-DIRECTORY', [file('/')]],
  ])

  it('names the entry whose path leads in a circle', async () => {
    const entry = file('/a/x', '', { origin: 'layers[0].entries[3]' })
    const lower = lowerOf(lowerEntries('l /a b', 'l /b a'))
    await expect(normalized([entry], lower)).rejects.toThrow(
      'layers[0].entries[3]: the symlinks of the image path /a lead in a circle',
    )
  })

  it('names the entry that stands in the way, and the one that writes below it', async () => {
    const above = file('/a', '', { origin: 'layers[0].entries[3]' })
    const below = file('/a/b/c', '', { origin: 'layers[0].entries[4]' })
    await expect(normalized([above, below])).rejects.toThrow(
      'layers[0].entries[4] writes /a/b/c, but layers[0].entries[3] makes /a a file',
    )
  })
})
