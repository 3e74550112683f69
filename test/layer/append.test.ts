import { describe } from 'vitest'
import { refuses, table } from '../helpers/layer-tables.ts'
import { append, file, lowerEntries, remove } from '../helpers/layers.ts'

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
