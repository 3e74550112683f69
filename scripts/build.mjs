/** `npm run build`: installs and compiles what is not current. */

import { ensureCompiled } from './lib/compile.mjs'
import { ensureInstalled } from './lib/install.mjs'
import { main } from './lib/project.mjs'

await main(async () => {
  ensureInstalled()
  await ensureCompiled()
})
