// A build as a function call: nothing is printed, nothing exits, unless this script does it.

import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, defineConfig, OciBuildError } from 'ocibuild'

const output = process.argv[2] ?? 'oci:.ocibuild/image'

// The same words as in a config file.
const spec = defineConfig({
  name: 'example/library',
  tags: ['1.0.0'],
  base: 'scratch',
  platforms: ['linux/amd64'],
  layers: [
    { name: 'sources', entries: [{ copy: '*.mjs', to: '/src' }] },
    { name: 'facts', entries: [{ file: '/facts.json', content: JSON.stringify({ answer: 42 }) }] },
  ],
  config: { labels: { 'com.example.made-by': 'build.mjs' } },
  metadata: 'none',
  created: 'epoch',
  outputs: [output],
})

try {
  const { images } = await build({
    spec,
    cwd: dirname(fileURLToPath(import.meta.url)),
    signal: AbortSignal.timeout(60_000),
    onEvent(event) {
      if (event.type === 'step-end') console.error(`${event.title} (${Math.round(event.durationMs)} ms)`)
      if (event.type === 'warning') console.error(`${event.warning.code}: ${event.warning.message}`)
    },
  })
  for (const { reference, platforms } of images) {
    console.log(reference)
    for (const { layers } of platforms) {
      for (const { name, size, digest } of layers) console.log(`  ${name}: ${size} bytes, ${digest}`)
    }
  }
} catch (error) {
  if (!(error instanceof OciBuildError)) throw error
  console.error(`${error.code}: ${error.message}`)
  if (error.hint !== undefined) console.error(`hint: ${error.hint}`)
  process.exitCode = 1
}
