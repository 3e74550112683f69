/** Preloaded into a measured Node.js process: writes its peak resident memory (bytes) to $BENCH_USAGE when it ends. */

import { writeFileSync } from 'node:fs'

process.on('exit', () => {
  const file = process.env.BENCH_USAGE
  if (file) writeFileSync(file, String(process.resourceUsage().maxRSS * 1024))
})
