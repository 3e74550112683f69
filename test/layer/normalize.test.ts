import { describe, expect, it } from 'vitest'
import { normalizeLayer } from '../../src/layer/normalize.ts'
import type { Placement } from '../../src/plan/placement.ts'
import type { LayerEntry } from '../../src/rootfs/tree-types.ts'
import {
  append,
  directory,
  file,
  folder,
  layerOf,
  lowerEntries,
  lowerOf,
  normalized,
  opaque,
  remove,
  symlink,
} from '../helpers/layers.ts'

interface Case {
  readonly title: string
  readonly lower?: readonly LayerEntry[]
  readonly contents?: Readonly<Record<string, string>>
  readonly placements: readonly Placement[]
  readonly entries: readonly string[]
}

function table(cases: readonly Case[]): void {
  for (const { title, lower, contents, placements, entries } of cases) {
    it(title, async () => {
      expect(await normalized(placements, lowerOf(lower, contents))).toEqual(entries)
    })
  }
}

function refuses(
  cases: readonly (readonly [
    title: string,
    code: string,
    placements: readonly Placement[],
    lower?: LayerEntry[],
  ])[],
): void {
  for (const [title, code, placements, lower] of cases) {
    it(title, async () => {
      await expect(normalized(placements, lowerOf(lower))).rejects.toMatchObject({ code })
    })
  }
}

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

describe('what lies below', () => {
  const cases: [title: string, opened: number, placements: readonly Placement[]][] = [
    ['is not opened for entries in the root', 0, [file('/a'), symlink('/b', 'a')]],
    ['is not opened where the spec describes every parent', 0, [directory('/app'), file('/app/x')]],
    [
      'is not opened for a copy into described directories',
      0,
      [folder('/app'), directory('/app'), file('/app/x')],
    ],
    [
      'is not opened for numbers as owners',
      0,
      [file('/a', '', { owner: '1:2' }), file('/b', '', { owner: '1' })],
    ],
    ['is not opened to hide all of the root', 0, [opaque('/')]],
    ['is opened for a parent that the spec does not describe', 1, [directory('/app'), file('/app/b/x')]],
    ['is opened for a parent of a described directory', 1, [directory('/app/b'), file('/app/b/x')]],
    ['is opened for a folder that a copy brings', 1, [folder('/app')]],
    ['is opened for a name as owner', 1, [file('/a'), directory('/b', { owner: '0:root' })]],
    ['is opened for the directory of an opaque marker', 1, [opaque('/data')]],
    ['is not opened for an opaque marker in a described directory', 0, [directory('/data'), opaque('/data')]],
  ]
  it.each(cases)('%s', async (_, opened, placements) => {
    const lower = lowerOf(lowerEntries('d /data 0700 1:1'), {})
    await normalizeLayer(layerOf(placements), lower.open).catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'OCB-OWNER-UNKNOWN' })
    })
    expect(lower.opened()).toBe(opened)
  })

  it('is opened by remove and append', async () => {
    const lower = lowerOf(lowerEntries('f /a', 'f /b'), { '/b': '1' })
    await normalizeLayer(layerOf([remove('/a'), append('/b', '2')]), lower.open)
    expect(lower.opened()).toBe(1)
  })
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

  it('names the entry that stands in the way, and the one that writes below it', async () => {
    const above = file('/a', '', { origin: 'layers[0].entries[3]' })
    const below = file('/a/b/c', '', { origin: 'layers[0].entries[4]' })
    await expect(normalized([above, below])).rejects.toThrow(
      'layers[0].entries[4] writes /a/b/c, but layers[0].entries[3] makes /a a file',
    )
  })
})

describe('append', () => {
  const lower = lowerEntries(
    'd /etc 0700',
    'f /etc/passwd 0640 0:42',
    'h /etc/again etc/passwd 0640 0:42',
    'l /etc/link passwd',
  )
  const contents = { '/etc/passwd': 'root\n', '/etc/again': 'root\n' }
  const parent = 'd /etc 0700 0:0'
  table([
    {
      title: 'adds bytes to a lower file, with its mode and owner',
      lower,
      contents,
      placements: [append('/etc/passwd', 'app\n')],
      entries: [parent, 'f /etc/passwd 0640 0:42 root\napp\n'],
    },
    {
      title: 'adds bytes to a lower hard link',
      lower,
      contents,
      placements: [append('/etc/again', 'app\n')],
      entries: [parent, 'f /etc/again 0640 0:42 root\napp\n'],
    },
    {
      title: 'follows a link to the file',
      lower,
      contents,
      placements: [append('/etc/link', 'app\n')],
      entries: [parent, 'f /etc/passwd 0640 0:42 root\napp\n'],
    },
    {
      title: 'twice adds twice',
      lower,
      contents,
      placements: [append('/etc/passwd', '1'), append('/etc/passwd', '2')],
      entries: [parent, 'f /etc/passwd 0640 0:42 root\n12'],
    },
    {
      title: 'adds to a file that the layer itself has put there',
      lower,
      placements: [file('/etc/passwd', 'a', { mode: 0o600, owner: '5:5' }), append('/etc/passwd', 'b')],
      entries: [parent, 'f /etc/passwd 0600 5:5 ab'],
    },
  ])
  refuses([
    ['to a file that nobody has is refused', 'OCB-APPEND-MISSING', [append('/etc/none', '')], lower],
    ['to a directory is refused', 'OCB-APPEND-MISSING', [append('/etc', '')], lower],
    [
      'to a file that the layer removed is refused',
      'OCB-APPEND-MISSING',
      [remove('/etc/passwd'), append('/etc/passwd', '')],
      lower,
    ],
  ])
})
