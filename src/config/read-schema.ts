/** The JSON schema of a config file, as it is shipped. */

import { readFileSync } from 'node:fs'

/** The text of `schemas/oci.config.schema.json`, which `scripts/write-schema.ts` makes of `schema.ts`. */
export function readSchemaText(): string {
  // As far below the package's folder compiled (dist/config) as in the sources.
  return readFileSync(new URL('../../schemas/oci.config.schema.json', import.meta.url), 'utf8')
}
