/** Names in archives: normalised, or refused. */

import { OciBuildError } from '../errors.ts'

/** Linux' PATH_MAX less the closing NUL, in bytes: no longer name can be made in a container. */
const maxNameBytes = 4095

/**
 * The relative image path of a name in a tar: without `./`, leading and trailing `/`; '' is the root. `.` and
 * empty components are dropped. Throws `OCB-ARCHIVE-UNSAFE` for `..`, NUL and names over 4095 bytes, naming
 * the entry; `archive` says in which archive (`layer sha256:…`, a path).
 */
export function normalizeEntryName(name: string, archive: string, role = 'the name'): string {
  if (name.includes('\0')) throw unsafeEntry(name, archive, `${role} contains a NUL`)
  if (name.length > maxNameBytes / 3 && Buffer.byteLength(name) > maxNameBytes) {
    throw unsafeEntry(name, archive, `${role} is longer than ${maxNameBytes} bytes`)
  }
  if (isNormalName(name)) return name
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw unsafeEntry(name, archive, `${role} contains ".."`)
  return parts.join('/')
}

/** An entry that would do harm: `OCB-ARCHIVE-UNSAFE`. */
export function unsafeEntry(name: string, archive: string, reason: string): OciBuildError {
  return new OciBuildError('OCB-ARCHIVE-UNSAFE', {
    message: `${archive}: entry ${printableName(name)} is refused: ${reason}`,
    hint: 'make the archive again without this entry',
  })
}

/** A name in quotes for messages: control characters escaped, cut at 200 characters. */
export function printableName(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name)
}

// Nearly all names of a real layer are normal, but for the slash that ends directories.
const abnormal = /^\/|\/\/|\/$|(?:^|\/)\.{1,2}(?:\/|$)/

/** Whether a name is a relative image path as `normalizeEntryName` gives it. */
export function isNormalName(name: string): boolean {
  return !abnormal.test(name) && !name.includes('\0')
}
