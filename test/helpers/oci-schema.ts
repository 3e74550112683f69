/** image-spec's own JSON schemas, read where they lie beside the project; a clone may lack them. */

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'

const folder = join(import.meta.dirname, '../../../shared/image-spec-schema')

/** For `describe.skipIf(schemaMissing)` and its title. */
export const schemaMissing: boolean = !existsSync(join(folder, 'image-manifest-schema.json'))
export const schemaMissingReason = 'shared/image-spec-schema is not beside this clone'

const files = {
  manifest: 'image-manifest-schema.json',
  index: 'image-index-schema.json',
  config: 'config-schema.json',
  layout: 'image-layout-schema.json',
  descriptor: 'content-descriptor.json',
} as const

let ajv: Ajv | undefined

/** Throws, with every fault, when a document is not what image-spec's schema of its kind says. */
export function checkAgainstImageSpec(kind: keyof typeof files, value: unknown): void {
  ajv ??= loadSchemas()
  const validate: ValidateFunction | undefined = ajv.getSchema(files[kind])
  if (!validate) throw new Error(`no schema for ${kind}`)
  if (validate(value)) return
  throw new Error(`not a valid ${kind}: ${ajv.errorsText(validate.errors, { separator: '; ' })}`)
}

function loadSchemas(): Ajv {
  const loaded = new Ajv({ strict: false, allErrors: true, validateFormats: true })
  loaded.addFormat('date-time', isTime)
  loaded.addFormat('uri', (text: string) => URL.canParse(text))
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.json')) continue
    const schema: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'))
    loaded.addSchema({ ...toDraft07(schema), $id: name })
  }
  return loaded
}

function isTime(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/.test(text)
}

/**
 * The files are draft-04 and refer to each other by file name, against which their ids (`id`) would be in the
 * way: those go, and each file gets its name as `$id`.
 */
function toDraft07(schema: unknown, isMap = false): object {
  const drop = isMap ? [] : ['id', '$schema']
  if (typeof schema !== 'object' || schema === null) throw new Error('a schema is an object')
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key, value]) => !(drop.includes(key) && typeof value === 'string'))
      .map(([key, value]: [string, unknown]) => [
        key,
        convert(value, key === 'properties' || key === 'definitions'),
      ]),
  )
}

function convert(value: unknown, isMap: boolean): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => convert(item, false))
  return typeof value === 'object' && value !== null ? toDraft07(value, isMap) : value
}
