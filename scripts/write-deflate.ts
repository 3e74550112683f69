/** Writes `src/deflate/deflate-wasm.ts` from `src/deflate/assembly`: `npx jiti scripts/write-deflate.ts`. */

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { main } from 'assemblyscript/asc'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Pages of 64 KiB: what `assembly/memory.ts` lays out. */
const pages = '43'

/** The text of the file: the compiled module in base64, so that no file has to be found at run time. */
export async function makeDeflateText(): Promise<string> {
  let wasm: Uint8Array | undefined
  const options = ['-O3', '--converge', '--runtime', 'stub', '--noAssert', '--enable', 'simd']
  const memory = ['--initialMemory', pages, '--maximumMemory', pages]
  const files = ['src/deflate/assembly/index.ts', '--outFile', 'deflate.wasm', '--baseDir', root]
  const { error, stderr } = await main([...files, ...options, ...memory], {
    writeFile(name, contents) {
      if (name.endsWith('deflate.wasm') && typeof contents !== 'string') wasm = contents
    },
  })
  if (error !== null || wasm === undefined)
    throw new Error(`asc failed: ${error?.message} ${stderr.toString()}`)
  const lines =
    Buffer.from(wasm)
      .toString('base64')
      .match(/.{1,100}/g) ?? []
  return [
    '/** Made of `assembly/` by `npm run deflate`: the deflate encoder as WebAssembly, in base64. */',
    '',
    'export const deflateWasm: string =',
    lines.map((line) => `  '${line}'`).join(' +\n'),
    '',
  ].join('\n')
}

const target = fileURLToPath(new URL('../src/deflate/deflate-wasm.ts', import.meta.url))
if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, await makeDeflateText())
