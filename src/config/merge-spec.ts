/** `defaults` and one of `images` become one spec; paths in it still lead back to where the words stand. */

import { isPlainObject } from './check-shape.ts'
import type { Path } from './fault.ts'

/**
 * Objects merge by key, arrays and scalars replace, `null` resets a key to what it is without `defaults`.
 * Where there is no default to reset, `null` stays in `config` (it clears what the base has) and is dropped
 * elsewhere.
 */
export function mergeSpec(defaults: unknown, image: unknown): unknown {
  if (!isPlainObject(image)) return image
  const base = isPlainObject(defaults) ? defaults : {}
  const merged: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(base), ...Object.keys(image)])) {
    const below = image[key]
    if (below === null && (key !== 'config' || base[key] !== undefined)) continue
    const value = mergeValue(base[key], below)
    if (value !== undefined) merged[key] = value
  }
  return merged
}

function mergeValue(base: unknown, over: unknown): unknown {
  if (over === undefined) return base
  if (!isPlainObject(base) || !isPlainObject(over)) return over
  const merged: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(base), ...Object.keys(over)])) {
    const isReset = over[key] === null && base[key] !== undefined && base[key] !== null
    if (!isReset) merged[key] = mergeValue(base[key], over[key])
  }
  return merged
}

/** Whether the value at a path of the merged spec came from the image, and not from `defaults`. */
export function isFromImage(defaults: unknown, image: unknown, path: Path): boolean {
  let below: unknown = defaults
  let over: unknown = image
  for (const step of path) {
    if (!isPlainObject(over)) return true
    const next = over[step]
    if (next === undefined || next === null) return !(isPlainObject(below) && below[step] !== undefined)
    below = isPlainObject(below) ? below[step] : undefined
    over = next
    // Arrays and scalars replace: all below them is of one origin.
    if (!isPlainObject(below)) return true
  }
  return true
}
