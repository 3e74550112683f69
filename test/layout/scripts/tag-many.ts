/** Pushes images into a layout and tags them, again and again: `tag-many DIR NAME COUNT`. */

import { openLayout } from '../../../src/layout/layout-store.ts'
import { putImage } from '../../helpers/images.ts'

const [dir = '', name = '', count = '1'] = process.argv.slice(2)
process.stdout.write('started\n')
for (let round = 0; round < Number(count); round += 1) {
  const store = await openLayout(dir, { create: true })
  const image = await putImage(store, [{ who: name }, { round: `${name} ${round}` }])
  await store.tag(image.manifest, `${name}-${round}`)
  await store.tag(image.manifest, `${name}-latest`)
}
