/** A project with a real dependency and no config file, built by the command on `host:node`, run by runc. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileCli, type CompiledCli } from '../helpers/compiled-cli.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { cannotRun } from '../helpers/run-image.ts'
import { unpackBundle, type ContainerBundle } from '../helpers/running-container.ts'
import { findManagers, runManager } from '../node/project/package-managers.ts'

const managers = findManagers()
const reason = typeof managers === 'string' ? managers : cannotRun()

const server = `import express from 'express'
const app = express()
app.get('/', (request, response) => response.json({ user: process.getuid(), cwd: process.cwd(), mode: process.env.NODE_ENV }))
app.listen(process.env.SOCKET ?? 3000, () => console.log('listening'))
`

/** Starts the app and asks it, over the socket that both know. */
const client = `await import('/app/server.js')
const { get } = await import('node:http')
setTimeout(() => get({ socketPath: process.env.SOCKET, path: '/' }, async (response) => {
  let text = ''
  for await (const chunk of response) text += chunk
  console.log(response.headers['x-powered-by'] + ' ' + text)
  process.exit()
}), 200)
`

describeWithPeers('a project with express', ['umoci', 'runc'], () => {
  describe.skipIf(reason !== undefined)(
    reason === undefined ? 'under runc' : `under runc (skipped: ${reason})`,
    () => {
      let folder = ''
      let cli: CompiledCli
      let bundle: ContainerBundle

      beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), 'ocibuild-node-project-'))
        cli = compileCli()
        const manifest = {
          name: 'api',
          type: 'module',
          scripts: { start: 'node server.js' },
          dependencies: { express: '4.21.2' },
          devDependencies: { 'left-pad': '1.3.0' },
        }
        writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
        writeFileSync(join(folder, 'server.js'), server)
        if (typeof managers !== 'string') runManager(managers.npm, ['install', '--ignore-scripts'], folder)
        const options = ['--base', 'host:node', '--cache-dir', join(folder, '.cache')]
        await cli.must(options, { cwd: folder })
        bundle = unpackBundle(join(folder, '.ocibuild/image'), 'latest')
      })
      afterAll(() => {
        bundle?.remove()
        cli?.remove()
        rmSync(folder, { recursive: true, force: true })
      })

      it('answers over a socket, as the user of the image, for production', async () => {
        const args = ['node', '--input-type=module', '-e', client]
        const { stdout, stderr } = await bundle.start(args, ['SOCKET=/tmp/app.sock']).ended
        expect(`${stdout}${stderr}`).toBe(
          'listening\nExpress {"user":1000,"cwd":"/app","mode":"production"}\n',
        )
      })

      it('has the dependencies of production and no others', async () => {
        const code = `console.log(require('express/package.json').version); try { require('left-pad') } catch (error) { console.log(error.code) }`
        const { stdout } = await bundle.start(['node', '-e', code]).ended
        expect(stdout).toBe('4.21.2\nMODULE_NOT_FOUND\n')
      })

      it('ends on SIGTERM with the preload of node.init', async () => {
        writeFileSync(
          join(folder, 'oci.config.json'),
          JSON.stringify({ node: { init: true }, base: 'host:node', outputs: ['oci:with-init'] }),
        )
        await cli.must(['--cache-dir', join(folder, '.cache')], { cwd: folder })
        const other = unpackBundle(join(folder, 'with-init'), 'latest')
        try {
          const preload = ['node', '--require', '/app/.ocibuild/init.cjs', 'server.js']
          const container = other.start(preload, ['SOCKET=/tmp/app.sock'])
          await container.printed('listening')
          container.signal('TERM')
          expect(await container.ended).toEqual({ stdout: 'listening\n', stderr: '', status: 143 })
        } finally {
          other.remove()
        }
      })
    },
  )
})
