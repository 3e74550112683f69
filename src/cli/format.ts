/** Numbers and tables as people read them. */

import { stripVTControlCharacters } from 'node:util'

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** Bytes in powers of ten, as registries and docker print them: `999 B`, `1.2 kB`, `12.3 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  // 999.95 would be printed as 1000.0.
  while (value >= (unit === 0 ? 1000 : 999.95) && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** Milliseconds: `35 ms`, `1.2 s`, `2 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** `1 file`, `31,023 files`. */
export function formatCount(count: number, one: string, many: string = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
}

/** A digest as long as people compare it: `sha256:0123456789ab`. */
export function shortDigest(digest: string): string {
  return digest.slice(0, digest.indexOf(':') + 13)
}

/** Columns padded to their widest cell, two spaces apart, no space at a line's end; `right` aligns numbers. */
export function formatTable(
  rows: readonly (readonly string[])[],
  options: { readonly right?: readonly number[]; readonly indent?: string } = {},
): string[] {
  const { right = [], indent = '' } = options
  const widths: number[] = []
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, widthOf(cell))
  }
  return rows.map((row) => {
    const cells = row.map((cell, index) => {
      const padding = ' '.repeat((widths[index] ?? 0) - widthOf(cell))
      return right.includes(index) ? padding + cell : cell + padding
    })
    return `${indent}${cells.join('  ')}`.trimEnd()
  })
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length
}
