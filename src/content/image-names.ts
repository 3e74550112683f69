/** The names that entries of an index.json go by. */

import type { Descriptor } from '../spec/descriptor.ts'
import type { NamedImage } from './find-image.ts'

/** The annotation that gives an entry of index.json its ref name (image-spec v1.1.1 annotations.md). */
export const refNameAnnotation = 'org.opencontainers.image.ref.name'
/** containerd's: the whole name, `registry.example.com/team/app:1.4.0`. */
export const containerdNameAnnotation = 'io.containerd.image.name'

/** An entry with its ref name first and, where it differs, containerd's whole name. */
export function nameImage(descriptor: Descriptor): NamedImage {
  const { annotations } = descriptor
  const names = new Set([
    annotations?.[refNameAnnotation] ?? '',
    annotations?.[containerdNameAnnotation] ?? '',
  ])
  names.delete('')
  return { descriptor, names: [...names] }
}
