/** Preloaded into a measured Node.js process: writes its peak resident memory (bytes) to $BENCH_USAGE when it ends. */

import { readFileSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

// A thread's memory is the process's, and threads end first.
if (isMainThread) {
  process.on('exit', () => {
    const file = process.env.BENCH_USAGE
    if (file) writeFileSync(file, String(peakBytes()))
  })
}

function peakBytes() {
  try {
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
  } catch {
    return process.resourceUsage().maxRSS * 1024
  }
}
