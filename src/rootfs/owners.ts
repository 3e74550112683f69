/** Owners: `uid`, `uid:gid`, or names that an image's own `/etc/passwd` and `/etc/group` know. */

import { OciBuildError } from '../errors.ts'

export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** The text of an image's files; undefined where it has none. */
export interface ImageUsers {
  readonly passwd: string | undefined
  readonly group: string | undefined
}

interface User extends Owner {
  readonly name: string
}

const maxId = 0xff_ff_ff_ff

/** Whether an owner needs no look into the image: `1000`, `1000:1000`. */
export function isNumericOwner(owner: string): boolean {
  return /^\d+(?::\d+)?$/.test(owner)
}

/**
 * The ids of an owner as the user wrote it. A number without a group is both ids, as Docker's `COPY --chown`
 * reads it; a name without a group brings its primary group. Throws `OCB-OWNER-UNKNOWN` for names that the image
 * lacks and numbers over 4294967295.
 */
export function resolveOwner(owner: string, users: ImageUsers): Owner {
  const colon = owner.indexOf(':')
  const userPart = colon < 0 ? owner : owner.slice(0, colon)
  const groupPart = colon < 0 ? undefined : owner.slice(colon + 1)
  if (userPart === '' || groupPart === '' || groupPart?.includes(':') === true) throw malformed(owner)
  const user: Owner = isNumber(userPart)
    ? { uid: parseId(userPart, owner), gid: parseId(userPart, owner) }
    : findUser(userPart, owner, users.passwd)
  if (groupPart === undefined) return user
  const gid = isNumber(groupPart) ? parseId(groupPart, owner) : findGroup(groupPart, owner, users.group)
  return { uid: user.uid, gid }
}

function findUser(name: string, owner: string, passwd: string | undefined): Owner {
  const all = parseLines(passwd, 4).flatMap(([user, , uid, gid]): User[] =>
    user && isNumber(uid) && isNumber(gid) ? [{ name: user, uid: Number(uid), gid: Number(gid) }] : [],
  )
  const found = all.find((user) => user.name === name)
  if (found) return { uid: found.uid, gid: found.gid }
  throw unknown('user', name, owner, '/etc/passwd', passwd, all)
}

function findGroup(name: string, owner: string, group: string | undefined): number {
  const all = parseLines(group, 3).flatMap(([groupName, , gid]) =>
    groupName && isNumber(gid) ? [{ name: groupName, gid: Number(gid) }] : [],
  )
  const found = all.find((candidate) => candidate.name === name)
  if (found) return found.gid
  throw unknown('group', name, owner, '/etc/group', group, all)
}

function parseLines(text: string | undefined, minFields: number): readonly (readonly string[])[] {
  return (text ?? '')
    .split('\n')
    .map((line) => line.trim().split(':'))
    .filter((fields) => fields.length >= minFields)
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^\d+$/.test(text)
}

function parseId(text: string, owner: string): number {
  const id = Number(text)
  if (id <= maxId) return id
  throw new OciBuildError('OCB-OWNER-UNKNOWN', {
    message: `owner "${owner}": ${text} is larger than the largest id, ${maxId}`,
    hint: 'write a smaller number',
  })
}

function malformed(owner: string): OciBuildError {
  return new OciBuildError('OCB-OWNER-UNKNOWN', {
    message: `"${owner}" is not an owner; wanted USER or USER:GROUP, each a number or a name`,
    hint: 'write it like 1000:1000 or node:node',
  })
}

function unknown(
  kind: 'user' | 'group',
  name: string,
  owner: string,
  file: string,
  text: string | undefined,
  known: readonly { readonly name: string }[],
): OciBuildError {
  const names = known.slice(0, 12).map((one) => one.name)
  const more = known.length > names.length ? `, … (${known.length} in all)` : ''
  const seen =
    text === undefined
      ? `the image has no ${file}`
      : names.length === 0
        ? `its ${file} names nobody`
        : `its ${file} has ${names.join(', ')}${more}`
  return new OciBuildError('OCB-OWNER-UNKNOWN', {
    message: `owner "${owner}": the image knows no ${kind} "${name}"; ${seen}`,
    hint: `use a ${kind} that the image has, or its number`,
  })
}
