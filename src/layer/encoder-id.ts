/** What a compression's bytes depend on beside the settings and our own code. */

import type { Compression } from '../config/resolved-spec.ts'
import type { Environment } from '../environment.ts'

/** `''` where the bytes are everybody's: our own encoder writes gzip. zstd's are those of one libzstd (contract, section 5). */
export function encoderIdOf({ type }: Compression, { zstd }: Environment['node']): string {
  return type === 'zstd' ? `zstd ${zstd ?? 'none'}` : ''
}
