/**
 * `npm run demo`: on a fresh clone, with nothing but Node.js and npm, builds examples/hello on base host:node,
 * validates the image, says what is in it, and runs it where something that runs images is present.
 */

import { join } from 'node:path'
import { ensureCompiled } from './lib/compile.mjs'
import { ensureInstalled } from './lib/install.mjs'
import { inRoot, main, runNode, ScriptError } from './lib/project.mjs'
import { runners } from './lib/runners.mjs'

// Beside the example, as a user would: what the command prints can then be typed there.
const folder = inRoot('examples', 'hello')
const layout = 'dist/image'
const archive = 'dist/hello.tar'

await main(async () => {
  if (process.platform !== 'linux') {
    throw new ScriptError(`base host:node takes Node.js from a Linux host; this is ${process.platform}`)
  }
  ensureInstalled()
  await ensureCompiled()

  title('cd examples/hello')
  const built = ocibuild(['build', '-o', `oci:${layout}`, '-o', `docker-archive:${archive}`, '--json'])
  const [image] = JSON.parse(built).images
  const [tag] = image.tags
  ocibuild(['validate', `oci:${layout}:${tag}`])

  title('what came out')
  console.log(`digest  ${image.digest}`)
  for (const { layers } of image.platforms) {
    for (const { name, size, digest } of layers) {
      console.log(`layer   ${name.padEnd(14)} ${megabytes(size).padStart(9)}  ${digest}`)
    }
  }
  console.log(`run it  podman run --rm oci:${layout}:${tag}`)
  console.log(`        docker load -i ${archive} && docker run --rm ${image.name}:${tag}`)
  runImage({ layout: join(folder, layout), archive: join(folder, archive), name: image.name, tag })
})

/** Runs the command, its stderr on this terminal; gives its stdout back, and shows it when it is for people. */
function ocibuild(words) {
  title(`ocibuild ${words.join(' ')}`)
  const printed = runNode([inRoot('dist', 'cli.cjs'), ...words], { capture: true, cwd: folder })
  if (!words.includes('--json')) process.stdout.write(printed)
  return printed
}

/** Tries one runner after another until one shows what the image prints. */
function runImage(image) {
  for (const { name, find, start } of runners) {
    const path = find()
    if (path === undefined) {
      console.log(`\n${name}: skipped, not installed`)
      continue
    }
    try {
      const printed = start(path, image)
      title(`${name} ran it, and it printed`)
      process.stdout.write(printed)
      return
    } catch (error) {
      if (!(error instanceof ScriptError)) throw error
      console.log(`\n${name}: skipped, it cannot run images here: ${error.message.trim().split('\n').at(-1)}`)
    }
  }
}

function title(text) {
  console.log(`\n— ${text}`)
}

function megabytes(bytes) {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}
