/** The release of a program of Node.js, read without running it. */

import { createReadStream, realpathSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readNodeRelease, type NodeRelease } from '../../src/node/program-version.ts'

async function read(text: string, size = text.length): Promise<NodeRelease | undefined> {
  const bytes = Buffer.from(text, 'latin1')
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  return readNodeRelease(chunks())
}

describe('the release of a program', () => {
  it('is that of the Node.js that runs the tests', async () => {
    const { node, modules } = process.versions
    const found = await readNodeRelease(createReadStream(realpathSync(process.execPath)))
    expect(found).toEqual({ version: node, modules: Number(modules) })
  })

  const config = '{"variables": {"node_module_version": 127, "x": 1}}'
  const release = { version: '22.11.0', modules: 127 }

  it('is found wherever the bytes are cut', async () => {
    const text = `${'\0'.repeat(50)}v22.11.0\0${'x'.repeat(200)}${config}`
    for (let size = 1; size < 40; size += 1) expect(await read(text, size), `${size}`).toEqual(release)
  })

  it.each<[string, string, NodeRelease | undefined]>([
    ['the one that fits the module version', `\0v3.1.0\0v22.11.0\0v20.1.0\0${config}`, release],
    [
      'of a release that is newer than this tool',
      `\0v3.1.0\0v99.1.2\0"node_module_version": 999`,
      { version: '99.1.2', modules: 999 },
    ],
    ['without a module version, of a known one', '\0v20.1.0\0', { version: '20.1.0', modules: 115 }],
    ['none of several that say nothing', '\0v3.1.0\0v4.0.0\0', undefined],
    ['none of words', 'see v22.11.0 of it', undefined],
    ['none of nothing', '', undefined],
  ])('is %s', async (_title, text, found) => {
    expect(await read(text)).toEqual(found)
  })
})
