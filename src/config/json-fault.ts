/** Where a text stops being JSON: not every release of Node.js says it. */

const blank = /[ \t\n\r]*/y
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y

/**
 * The offset of the first thing that JSON (RFC 8259) has no place for, of a broken string its beginning; the length
 * of the text where it only ends too early. For a text that `JSON.parse` has refused.
 */
export function findJsonFault(text: string): number {
  let at = 0
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0].length
    if (found !== undefined) at += found
    return found !== undefined
  }
  const is = (character: string): boolean => {
    take(blank)
    if (text[at] !== character) return false
    at += 1
    return true
  }
  const key = (): boolean => {
    take(blank)
    return take(string) && is(':')
  }
  /** Members up to the closing character; a comma promises another. */
  const members = (close: string, hasKeys: boolean): boolean => {
    if (is(close)) return true
    do {
      if ((hasKeys && !key()) || !value()) return false
    } while (is(','))
    return is(close)
  }
  const value = (): boolean => {
    if (is('{')) return members('}', true)
    if (is('[')) return members(']', false)
    return take(string) || take(scalar)
  }
  if (value()) take(blank)
  return at
}
