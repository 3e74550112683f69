/** After a build: the cache is made smaller where it outgrew its limit. */

import { limitCache } from '../cache/cache-limit.ts'
import type { StagedImage } from './build-image.ts'
import type { Session } from './session.ts'

export function keepLimit(images: readonly StagedImage[], session: Session): void {
  const { options, cacheDir, maxCacheBytes: maxBytes, environment } = session
  if (options.cache === false) return
  const layers = images.flatMap(({ platforms }) => platforms.flatMap((platform) => platform.layers))
  const grown = layers.some(({ cached }) => !cached)
  limitCache(cacheDir, { maxBytes, grown, nowMs: environment.wallClockMs() })
}
