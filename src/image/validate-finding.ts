/** What a validation finds: one table of codes, and the list they are collected in. */

export type Severity = 'error' | 'warning'

/**
 * An error breaks a MUST of image-spec v1.1.1 or makes readers fail; a
 * warning breaks a SHOULD, or is something that readers are known to treat differently.
 */
const codes = {
  'OCB-VALIDATE-MISSING': 'error',
  'OCB-VALIDATE-CONTENT': 'error',
  'OCB-VALIDATE-TOO-LARGE': 'error',
  'OCB-VALIDATE-JSON': 'error',
  'OCB-VALIDATE-DESCRIPTOR': 'error',
  'OCB-VALIDATE-DIGEST': 'error',
  'OCB-VALIDATE-DIGEST-ALGORITHM': 'warning',
  'OCB-VALIDATE-DATA': 'error',
  'OCB-VALIDATE-ANNOTATION': 'error',
  'OCB-VALIDATE-PLATFORM': 'error',
  'OCB-VALIDATE-PLATFORM-MISMATCH': 'error',
  'OCB-VALIDATE-PLATFORM-VARIANT': 'warning',
  'OCB-VALIDATE-PLATFORM-DUPLICATE': 'warning',
  'OCB-VALIDATE-ARTIFACT-TYPE': 'error',
  'OCB-VALIDATE-EMPTY': 'error',
  'OCB-VALIDATE-SCHEMA-VERSION': 'error',
  'OCB-VALIDATE-MEDIA-TYPE': 'error',
  'OCB-VALIDATE-MEDIA-TYPE-MISSING': 'warning',
  'OCB-VALIDATE-MEDIA-TYPE-UNKNOWN': 'warning',
  'OCB-VALIDATE-ROOT-TYPE': 'error',
  'OCB-VALIDATE-MANIFEST': 'error',
  'OCB-VALIDATE-INDEX': 'error',
  'OCB-VALIDATE-AMBIGUOUS': 'error',
  'OCB-VALIDATE-DEPTH': 'error',
  'OCB-VALIDATE-NO-LAYERS': 'warning',
  'OCB-VALIDATE-CONFIG': 'error',
  'OCB-VALIDATE-CREATED': 'error',
  'OCB-VALIDATE-ENV': 'error',
  'OCB-VALIDATE-PORTS': 'error',
  'OCB-VALIDATE-VOLUMES': 'error',
  'OCB-VALIDATE-STOP-SIGNAL': 'error',
  'OCB-VALIDATE-HISTORY': 'error',
  'OCB-VALIDATE-HISTORY-COUNT': 'error',
  'OCB-VALIDATE-LAYER-COUNT': 'error',
  'OCB-VALIDATE-COMPRESSION': 'error',
  'OCB-VALIDATE-COMPRESSION-TRAILING': 'error',
  'OCB-VALIDATE-DECOMPRESS': 'error',
  'OCB-VALIDATE-DIFF-ID': 'error',
  'OCB-VALIDATE-TAR': 'error',
  'OCB-VALIDATE-TAR-END': 'warning',
  'OCB-VALIDATE-TAR-TRAILING': 'warning',
  'OCB-VALIDATE-TAR-HIDDEN': 'error',
  'OCB-VALIDATE-NAME': 'error',
  'OCB-VALIDATE-NAME-ABSOLUTE': 'warning',
  'OCB-VALIDATE-NAME-DOT': 'warning',
  'OCB-VALIDATE-NAME-ENCODING': 'warning',
  'OCB-VALIDATE-DUPLICATE-ENTRY': 'error',
  'OCB-VALIDATE-ENTRY-TYPE': 'error',
  'OCB-VALIDATE-ENTRY-SIZE': 'warning',
  'OCB-VALIDATE-PARENT': 'warning',
  'OCB-VALIDATE-PARENT-ORDER': 'warning',
  'OCB-VALIDATE-PARENT-TYPE': 'error',
  'OCB-VALIDATE-PARENT-LINK': 'warning',
  'OCB-VALIDATE-WHITEOUT': 'error',
  'OCB-VALIDATE-WHITEOUT-RESERVED': 'warning',
  'OCB-VALIDATE-WHITEOUT-CONTENT': 'warning',
  'OCB-VALIDATE-WHITEOUT-BESIDE': 'warning',
  'OCB-VALIDATE-LINK-TARGET': 'error',
  'OCB-VALIDATE-HARDLINK': 'error',
  'OCB-VALIDATE-HARDLINK-LOWER': 'warning',
  'OCB-VALIDATE-LAYOUT': 'error',
  'OCB-VALIDATE-LAYOUT-INDEX': 'error',
  'OCB-VALIDATE-REF-NAME': 'error',
  'OCB-VALIDATE-REF-DUPLICATE': 'warning',
  'OCB-VALIDATE-BLOB-NAME': 'error',
} as const

export type ValidationCode = keyof typeof codes

/** Every code and how much it weighs. */
export const validationCodes: Readonly<Record<ValidationCode, Severity>> = codes

export interface Finding {
  readonly severity: Severity
  readonly code: ValidationCode
  /** What was found and what is wanted. */
  readonly message: string
  /** The document and the place in it: `manifest sha256:… layers[2]`. */
  readonly where: string
}

/** A list that findings are added to while an image is walked. */
export interface Findings {
  add(code: ValidationCode, where: string, message: string): void
  /** In the order they were found; where one code is found over and over in one place, the rest as a count. */
  list(): readonly Finding[]
}

/** `limit` is how many findings of one code in one place are kept. */
export function createFindings(limit = 10): Findings {
  const kept: Finding[] = []
  const counts = new Map<string, { code: ValidationCode; where: string; count: number }>()
  return {
    add(code, where, message) {
      const key = `${code} ${where}`
      const seen = counts.get(key) ?? { code, where, count: 0 }
      counts.set(key, seen)
      seen.count += 1
      if (seen.count <= limit) kept.push({ severity: validationCodes[code], code, message, where })
    },
    list() {
      const rest = [...counts.values()]
        .filter(({ count }) => count > limit)
        .map(({ code, where, count }): Finding => {
          const message = `and ${count - limit} more of this kind`
          return { severity: validationCodes[code], code, message, where }
        })
      return [...kept, ...rest]
    },
  }
}

/** A short name of what a JSON value is, for messages. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  const text = JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 117)}…` : text
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
