/** What a caller of the library meets when the world is in the way. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { build, createPlan, OciBuildError, processEnvironment, type BuildOptions } from '../../src/index.ts'

const spec = { name: 'acme/x', platforms: ['linux/amd64'], layers: [{ file: '/a', content: 'a' }] }

/** A folder, and options that build into it. */
function place(): { dir: string; options: BuildOptions } {
  const dir = mkdtempSync(join(tmpdir(), 'ocibuild-session-'))
  const tempDir = join(dir, 'tmp')
  mkdirSync(tempDir)
  const environment = { ...processEnvironment(), cwd: dir, tempDir, variables: {} }
  return { dir, options: { cwd: dir, cacheDir: join(dir, 'cache'), environment, spec } }
}

async function errorOf(work: Promise<unknown>): Promise<OciBuildError> {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  if (error instanceof OciBuildError) return error
  throw new Error(`wanted an OciBuildError, got ${String(error)}`)
}

describe('a cache folder that cannot be written', () => {
  it('is an error that says what to do about it', async () => {
    const { dir, options } = place()
    // A file in the way stands for all that keeps a folder from being made: permissions do not stop root.
    writeFileSync(join(dir, 'cache'), '')
    for (const work of [build, createPlan]) {
      const error = await errorOf(work(options))
      expect(error).toMatchObject({ code: 'OCB-CACHE-DENIED', hint: expect.stringContaining('--no-cache') })
      expect(error.message).toContain(join(dir, 'cache'))
    }
  })

  it('is in nobody’s way when no cache is wanted, and nothing stays in the temporary folder', async () => {
    const { dir, options } = place()
    writeFileSync(join(dir, 'cache'), '')
    const { images } = await build({ ...options, cache: false })
    const [cached] = (await build({ ...options, cacheDir: join(dir, 'other') })).images
    expect(images[0]?.digest).toBe(cached?.digest)
    expect(readdirSync(join(dir, 'tmp'))).toEqual([])
  })
})

describe('what the library throws', () => {
  it('is an OciBuildError when the system refuses', async () => {
    const { dir, options } = place()
    writeFileSync(join(dir, 'file'), '')
    const error = await errorOf(build({ ...options, spec: { ...spec, outputs: ['oci:file/image'] } }))
    expect(error).toMatchObject({ code: 'OCB-SYSTEM', cause: { code: 'ENOTDIR' } })
    expect(error.message).toContain(join(dir, 'file', 'image'))
  })

  it('is OCB-INTERRUPTED after an abort, with nothing written', async () => {
    const { dir, options } = place()
    expect(await errorOf(build({ ...options, signal: AbortSignal.abort() }))).toMatchObject({
      code: 'OCB-INTERRUPTED',
    })
    const controller = new AbortController()
    const onEvent = (event: { readonly type: string }): void => {
      if (event.type === 'step-start') controller.abort()
    }
    expect(await errorOf(build({ ...options, signal: controller.signal, onEvent }))).toMatchObject({
      code: 'OCB-INTERRUPTED',
    })
    expect(existsSync(join(dir, '.ocibuild'))).toBe(false)
  })

  it('has what a listener threw as its cause', async () => {
    const { options } = place()
    const thrown = new TypeError('mine')
    const onEvent = (): never => {
      throw thrown
    }
    expect(await errorOf(build({ ...options, onEvent }))).toMatchObject({ message: 'mine', cause: thrown })
  })
})

describe('what a build has learned', () => {
  it.each([true, false])(
    'is kept, whether or not it fails (%s) before anything is written',
    async (strict) => {
      const { dir, options } = place()
      // More than is hashed anew each time.
      writeFileSync(join(dir, 'a'), Buffer.alloc(1024 * 1024 + 1))
      const environment = { ...processEnvironment(), ...options.environment }
      // A file that was written this moment is not remembered.
      const wallClockMs = (): number => Date.now() + 60_000
      const layers = [
        { name: 'nothing', entries: [] },
        { copy: 'a', to: '/a' },
      ]
      const work = build({
        ...options,
        strict,
        environment: { ...environment, wallClockMs },
        spec: { ...spec, layers },
      })
      if (strict) expect((await errorOf(work)).code).toBe('OCB-STRICT')
      else await work
      expect(readdirSync(join(dir, 'cache/files'))).toHaveLength(1)
      expect(readdirSync(join(dir, 'cache/built'))).toHaveLength(1)
    },
  )
})

describe('strict', () => {
  const empty = { name: 'nothing', entries: [] }

  it('fails on the first warning, before anything is written or compressed for others to see', async () => {
    const { dir, options } = place()
    const warned = { ...options, spec: { ...spec, layers: [empty, ...spec.layers] } }
    for (const work of [build, createPlan]) {
      const error = await errorOf(work({ ...warned, strict: true }))
      expect(error.code).toBe('OCB-STRICT')
      expect(error.message).toMatch(/^a warning under --strict: .*"nothing"/)
    }
    expect(existsSync(join(dir, '.ocibuild'))).toBe(false)
    const { warnings } = await build(warned)
    expect(warnings.map(({ code }) => code)).toEqual(['OCB-LAYER-EMPTY'])
  })

  it('counts the warnings when there are several', async () => {
    const { options } = place()
    const layers = [empty, { ...empty, name: 'void' }, ...spec.layers]
    const error = await errorOf(build({ ...options, spec: { ...spec, layers }, strict: true }))
    expect(error.message).toMatch(/^2 warnings under --strict, the first: .*"nothing"/)
  })
})

it('prints nothing, and leaves the process as it was, whatever prepare says', async () => {
  const { options } = place()
  const writes = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')]
  const counts = (): number[] => ['SIGINT', 'SIGTERM', 'exit'].map((name) => process.listenerCount(name))
  const before = { counts: counts(), exitCode: process.exitCode, cwd: process.cwd() }
  try {
    const lines: string[] = []
    await build({
      ...options,
      spec: { ...spec, prepare: ['echo words'] },
      onEvent: (event) => {
        if (event.type === 'output-line') lines.push(event.line)
      },
    })
    await errorOf(build({ ...options, spec: { ...spec, prepare: ['exit 3'] } }))
    expect(lines).toEqual(['words'])
    expect({ counts: counts(), exitCode: process.exitCode, cwd: process.cwd() }).toEqual(before)
    for (const write of writes) expect(write).not.toHaveBeenCalled()
  } finally {
    for (const write of writes) write.mockRestore()
  }
})
