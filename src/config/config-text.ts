/** A config file as text: lines with a word on each, in TypeScript or in YAML. */

export type ConfigFormat = 'ts' | 'yaml'

export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value }

/** A key with its value or its own lines, and the comment above it. */
export interface Line {
  readonly comment: readonly string[]
  readonly key: string
  readonly value?: Value | undefined
  readonly lines?: readonly Line[] | undefined
  /** Written as a comment: what could be said, and is so anyway. */
  readonly off?: boolean | undefined
}

/** The text of `oci.config.ts` or `oci.config.yaml`; `head` is what the file says of itself. */
export function formatConfig(head: readonly string[], lines: readonly Line[], format: ConfigFormat): string {
  const text =
    format === 'yaml'
      ? [...head.map((line) => comment('#', line)), '', ...yamlLines(lines, '', '\n')]
      : [
          "import { defineConfig } from 'ocibuild'",
          '',
          ...head.map((line) => comment('//', line)),
          'export default defineConfig({',
          ...tsLines(lines, '  '),
          '})',
        ]
  return `${text.join('\n').trimEnd()}\n`
}

function comment(mark: string, text: string): string {
  // A line break in what is quoted would end the comment.
  return `${mark} ${text.replaceAll(/\s*[\r\n\u2028\u2029]+\s*/g, ' ')}`.trimEnd()
}

function tsLines(lines: readonly Line[], indent: string): string[] {
  return lines.flatMap(({ comment: words, key, value, lines: inner, off }) => {
    const name = tsKey(key)
    const body =
      inner === undefined
        ? `${indent}${name}: ${tsValue(value ?? '', indent)},`.split('\n')
        : [`${indent}${name}: {`, ...tsLines(inner, `${indent}  `), `${indent}},`]
    return [
      ...words.map((line) => `${indent}${comment('//', line)}`),
      ...(off === true ? asComment(body, indent, '//') : body),
    ]
  })
}

function tsKey(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key)
}

function tsValue(value: Value, indent: string): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value !== 'object') return String(value)
  const inner = `${indent}  `
  if (isList(value)) {
    if (value.every((item) => typeof item !== 'object'))
      return `[${value.map((item) => tsValue(item, '')).join(', ')}]`
    return `[\n${value.map((item) => `${inner}${tsValue(item, inner)},\n`).join('')}${indent}]`
  }
  const members = Object.entries(value)
  const flat = `{ ${members.map(([key, item]) => `${tsKey(key)}: ${tsValue(item, inner)}`).join(', ')} }`
  if (!flat.includes('\n') && flat.length + indent.length < 100) return flat
  return `{\n${members.map(([key, item]) => `${inner}${tsKey(key)}: ${tsValue(item, inner)},\n`).join('')}${indent}}`
}

function quote(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** `gap` stands between the keys of the top, which have words enough to need it. */
function yamlLines(lines: readonly Line[], indent: string, gap: '' | '\n'): string[] {
  return lines.flatMap(({ comment: words, key, value, lines: inner, off }) => {
    const body =
      inner === undefined
        ? yamlMember(key, value ?? '', indent)
        : [`${indent}${yamlFlat(key)}:`, ...yamlLines(inner, `${indent}  `, '')]
    return [
      ...words.map((line) => `${indent}${comment('#', line)}`),
      ...(off === true ? asComment(body, indent, '#') : body),
      ...(gap === '' ? [] : ['']),
    ]
  })
}

function asComment(lines: readonly string[], indent: string, mark: string): string[] {
  return lines.map((line) => `${indent}${mark} ${line.slice(indent.length)}`)
}

function yamlMember(key: string, value: Value, indent: string): string[] {
  const name = `${indent}${yamlFlat(key)}:`
  if (isFlat(value)) return [`${name} ${yamlFlat(value)}`]
  if (isList(value)) return [name, ...value.flatMap((item) => yamlItem(item, `${indent}  `))]
  return [name, ...Object.entries(value).flatMap(([inner, item]) => yamlMember(inner, item, `${indent}  `))]
}

function yamlItem(item: Value, indent: string): string[] {
  if (isFlat(item) || isList(item)) return [`${indent}- ${yamlFlat(item)}`]
  const lines = Object.entries(item).flatMap(([name, value]) => yamlMember(name, value, `${indent}  `))
  return lines.map((line, index) => (index === 0 ? `${indent}- ${line.slice(indent.length + 2)}` : line))
}

function isFlat(value: Value): value is string | number | boolean | readonly (string | number | boolean)[] {
  return typeof value !== 'object' || (isList(value) && value.every((item) => typeof item !== 'object'))
}

function yamlFlat(value: Value): string {
  if (isList(value)) return `[${value.map((item) => yamlFlat(item)).join(', ')}]`
  if (typeof value !== 'string') return JSON.stringify(value)
  const isPlain =
    /^[A-Za-z./][\w./@-]*(?::[\w./@-]+)*$/.test(value) && !/^(?:true|false|null|yes|no|on|off)$/i.test(value)
  return isPlain ? value : JSON.stringify(value)
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}
