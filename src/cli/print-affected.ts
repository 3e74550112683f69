/** What `--affected-since` found, for people: each image, whether it has to be built, and why. */

import type { AffectedImages } from '../build-types.ts'
import { formatCount } from './format.ts'
import type { Paint } from './paint.ts'
import { printable } from './printable.ts'

/** Lines without indentation. */
export function formatAffected({ since, images }: AffectedImages, paint: Paint): readonly string[] {
  const reached = images.filter(({ affected }) => affected).length
  const some = `${reached} of ${formatCount(images.length, 'image')} ${reached === 1 ? 'is' : 'are'}`
  const count = reached === 0 ? 'no image is' : some
  return [
    `${count} affected by what changed since ${printable(since)}`,
    ...images.flatMap(({ image, name, affected, reasons: [first, ...more] }) => {
      if (!affected || first === undefined) return paint('dim', `  ${printable(image ?? name)}  unchanged`)
      const rest = more.length === 0 ? '' : ` and ${more.length} more`
      return `  ${paint('bold', printable(image ?? name))}  ${printable(first.path)} (${printable(first.because)})${rest}`
    }),
  ]
}
