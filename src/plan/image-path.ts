/** Image paths as the user writes them, checked and normalised. */

import { OciBuildError } from '../errors.ts'

/**
 * Normalises an absolute image path: `/app//dist/./a/` becomes `/app/dist/a`; `/` is the root. `at` names the
 * key that holds it. Throws `OCB-SPEC-IMAGE-PATH` for a path that is relative, empty, holds NUL, `..` or half a
 * surrogate pair, and `OCB-NAME-WHITEOUT` for a name that begins with `.wh.`.
 */
export function imagePath(text: string, at: string): string {
  const wrong = (seen: string): OciBuildError =>
    new OciBuildError('OCB-SPEC-IMAGE-PATH', {
      message: `${at} ${JSON.stringify(text)} ${seen}; wanted an absolute image path like /app/dist`,
      hint: 'write the whole path in the image, beginning with /',
    })
  if (!text.startsWith('/')) throw wrong('is not absolute')
  if (text.includes('\0')) throw wrong('holds a NUL character')
  if (/\p{Surrogate}/u.test(text)) throw wrong('is not well-formed Unicode')
  const names = text.split('/').filter((name) => name !== '' && name !== '.')
  if (names.includes('..')) throw wrong('holds ..')
  for (const name of names) refuseWhiteoutName(name, `${at} ${JSON.stringify(text)}`)
  return `/${names.join('/')}`
}

/** A path below a folder of the image; '' is the folder itself. */
export function below(folder: string, path: string): string {
  if (path === '') return folder
  return folder === '/' ? `/${path}` : `${folder}/${path}`
}

/** Throws `OCB-NAME-WHITEOUT` for a name that a layer would read as a whiteout (image-spec v1.1.1 layer.md, Whiteouts). */
export function refuseWhiteoutName(name: string, where: string): void {
  if (!name.startsWith('.wh.')) return
  throw new OciBuildError('OCB-NAME-WHITEOUT', {
    message: `${where}: the name "${name}" begins with .wh., which means "deleted" in a layer`,
    hint: 'rename it or exclude it; to delete a path of a lower layer use a remove entry',
  })
}
