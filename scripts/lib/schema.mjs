/** Whether schemas/oci.config.schema.json is what the schema in the code says. */

import { readFileSync } from 'node:fs'
import { inRoot, ScriptError } from './project.mjs'

/** Throws a ScriptError when the file has to be written again. */
export async function checkSchema() {
  const { createJiti } = await import('jiti')
  const { makeSchemaText } = await createJiti(import.meta.url).import('../write-schema.ts')
  const path = 'schemas/oci.config.schema.json'
  if (readFileSync(inRoot(path), 'utf8') === makeSchemaText()) return
  throw new ScriptError(`${path} is not what the code says: run npm run schema`)
}
