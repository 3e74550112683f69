/** The JSON schema of a config file, as it is shipped. */

import { readFileSync } from 'node:fs'
import { packageFile } from '../package-file.ts'

/** The text of `schemas/oci.config.schema.json`, which `scripts/write-schema.ts` makes of `schema.ts`. */
export function readSchemaText(): string {
  return readFileSync(packageFile('schemas/oci.config.schema.json'), 'utf8')
}
