/** The demo's image, built by the command on the base `host:node`, run by runc: it works without anything of the host. */

import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileCli, type CompiledCli } from '../helpers/compiled-cli.ts'
import { describeWithPeers } from '../helpers/peers.ts'
import { cannotRun, runWithRunc } from '../helpers/run-image.ts'
import { unpackBundle, type ContainerBundle } from '../helpers/running-container.ts'

const reason = cannotRun()

describeWithPeers('examples/hello', ['umoci', 'runc'], () => {
  describe.skipIf(reason !== undefined)(
    reason === undefined ? 'under runc' : `under runc (skipped: ${reason})`,
    () => {
      let folder = ''
      let cli: CompiledCli
      let layout = ''
      let bundle: ContainerBundle

      beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), 'ocibuild-run-'))
        cli = compileCli()
        const project = join(folder, 'hello')
        cpSync(resolve(import.meta.dirname, '../../examples/hello'), project, {
          recursive: true,
          filter: (path) => !/\/(?:dist|node_modules|\.ocibuild)$/.test(path),
        })
        layout = join(project, 'dist/image')
        await cli.must(['--cache-dir', join(folder, 'cache')], { cwd: project })
        bundle = unpackBundle(layout, 'latest')
      })
      afterAll(() => {
        bundle.remove()
        cli.remove()
        rmSync(folder, { recursive: true, force: true })
      })

      /** What an expression is inside, as JSON; promises are waited for. */
      async function inside(expression: string, env: readonly string[] = []): Promise<unknown> {
        const code = `Promise.resolve(${expression}).then((value) => console.log(JSON.stringify(value)))`
        const { stdout, stderr, status } = await bundle.start(['node', '-e', code], env).ended
        if (status !== 0) throw new Error(`${status}: ${stderr}`)
        return JSON.parse(stdout)
      }

      it('says hello, as the user that it names', async () => {
        expect(await runWithRunc(layout, 'latest')).toEqual({
          stdout: `Hello from Node.js ${process.version} on linux/${process.arch}, as user node.\n`,
          stderr: '',
          status: 0,
        })
      })

      it('is user 1000, in its working directory, with the environment of the image', async () => {
        expect(
          await inside(
            '[process.getuid(), process.getgid(), process.getgroups(), process.cwd(), os.homedir(), process.env.NODE_ENV, process.pid]',
          ),
        ).toEqual([1000, 1000, [1000], '/app', '/home/node', 'production', 1])
      })

      it('may write to /tmp and its home, and not to the program', async () => {
        const tried = (path: string): string =>
          `(() => { try { fs.writeFileSync('${path}', 'x'); return fs.readFileSync('${path}', 'utf8') } catch (error) { return error.code } })()`
        expect(await inside(`[${['/tmp/x', '/home/node/x', '/app/x', '/etc/x'].map(tried).join()}]`)).toEqual(
          ['x', 'x', 'EACCES', 'EACCES'],
        )
        expect(await inside("[fs.statSync('/tmp').mode & 0o7777, os.tmpdir()]")).toEqual([0o1777, '/tmp'])
      })

      it.each([
        [[], 0],
        [['TZ=Asia/Tokyo'], -540],
        [['TZ=America/St_Johns'], 210],
      ])('knows the time zone of %j', async (env, minutes) => {
        expect(await inside('new Date(1700000000000).getTimezoneOffset()', env)).toBe(minutes)
      })

      it('has the time zones that programs other than Node.js read', async () => {
        expect(
          await inside("fs.readFileSync('/usr/share/zoneinfo/Asia/Tokyo').subarray(0, 4).toString()"),
        ).toBe('TZif')
      })

      it('finds localhost by its name, over IPv4 and IPv6', async () => {
        const addresses = await inside("require('dns/promises').lookup('localhost', { all: true })")
        expect(addresses).toContainEqual({ address: '127.0.0.1', family: 4 })
        const missing = "require('dns/promises').lookup('no-such-name.invalid').catch((error) => error.code)"
        expect(['ENOTFOUND', 'EAI_AGAIN']).toContain(await inside(missing))
      })

      it('has root certificates that OpenSSL takes, where OpenSSL looks for them', async () => {
        const roots = `fs.readFileSync('/etc/ssl/certs/ca-certificates.crt', 'utf8').match(/-----BEGIN[^]+?-----END CERTIFICATE-----/g)
        .map((text) => new crypto.X509Certificate(text)).filter((root) => root.ca && root.verify(root.publicKey)).length`
        expect(await inside(roots)).toBeGreaterThan(50)
        expect(await inside("fs.realpathSync('/etc/ssl/cert.pem')")).toBe(
          '/etc/ssl/certs/ca-certificates.crt',
        )
        expect(await inside("require('tls').rootCertificates.length")).toBeGreaterThan(50)
      })

      it('loads what Node.js loads late: workers, crypto, compression, modules', async () => {
        const late = `(async () => {
        const { Worker } = require('worker_threads')
        const worker = new Worker('require("worker_threads").parentPort.postMessage(6 * 7)', { eval: true })
        const answer = await new Promise((done) => worker.on('message', done))
        const zlib = require('zlib')
        const module = await import('data:text/javascript,export default 1')
        return [answer, crypto.generateKeyPairSync('ed25519').publicKey.type, zlib.brotliDecompressSync(zlib.brotliCompressSync('x')) + '', module.default, new Intl.DateTimeFormat('ja').format(0)]
      })()`
        expect(await inside(late)).toEqual([42, 'public', 'x', 1, '1970/1/1'])
      })

      it.each(['TERM', 'INT'] as const)(
        'serves as process 1, and ends at once and well on SIG%s',
        async (name) => {
          const container = bundle.start(['node', '/app/hello.js', '--listen'])
          await container.printed('listening on port 3000')
          const startedMs = performance.now()
          container.signal(name)
          expect(await container.ended).toEqual({ stdout: 'listening on port 3000\n', stderr: '', status: 0 })
          expect(performance.now() - startedMs).toBeLessThan(5000)
        },
      )
    },
  )
})
