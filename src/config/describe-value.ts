/** Values of a spec as a message shows them. */

/** `the number 420`, `"dist"`, `an object with the keys a and b`. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') return shorten(JSON.stringify(value))
  if (typeof value === 'number' || typeof value === 'bigint') return `the number ${value}`
  if (typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'function') return 'a function'
  const keys = Object.keys(value)
  if (keys.length === 0) return 'an empty object'
  return keys.length === 1
    ? `an object with the key ${keys[0]}`
    : `an object with the keys ${joinWords(keys, 'and')}`
}

/** `a, b and c`. */
export function joinWords(words: readonly string[], last: 'and' | 'or'): string {
  if (words.length < 2) return words.join('')
  return `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`
}

/** `layers[1].entries[0].exclude`, `annotations["com.example.team"]`. */
export function formatPath(path: readonly (string | number)[]): string {
  let text = ''
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`
    else if (/^[A-Za-z_$][\w$-]*$/.test(key)) text += text === '' ? key : `.${key}`
    else text += `[${JSON.stringify(key)}]`
  }
  return text
}

function shorten(text: string): string {
  return text.length <= 120 ? text : `${text.slice(0, 116)}…"`
}
