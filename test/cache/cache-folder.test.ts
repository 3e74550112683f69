import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { basename, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { openCacheFolder } from '../../src/cache/cache-folder.ts'
import { temporaryFolder } from '../helpers/unpack.ts'

const dir = temporaryFolder()
afterAll(() => rmSync(dir, { recursive: true, force: true }))
beforeEach(() => rmSync(dir, { recursive: true, force: true }))

const nowMs = Date.now()

describe('the cache folder', () => {
  it('is made where it is missing, and has the same parts in every run', () => {
    const [one, two] = [
      openCacheFolder(dir, { keep: true, nowMs }),
      openCacheFolder(dir, { keep: true, nowMs }),
    ]
    expect({ ...one, runDir: '', close: '' }).toEqual({ ...two, runDir: '', close: '' })
    expect(one.contentDir).toBe(join(dir, 'content'))
    expect(one.runDir).not.toBe(two.runDir)
    one.close()
    expect([existsSync(one.runDir), existsSync(two.runDir)]).toEqual([false, true])
    two.close()
    two.close()
  })

  it('without keeping lies in the run, and nothing of it stays', () => {
    const cache = openCacheFolder(dir, { keep: false, nowMs })
    for (const part of [cache.contentDir, cache.layersDir, cache.filesDir, cache.namesDir, cache.factsDir]) {
      expect(part.startsWith(cache.runDir)).toBe(true)
      mkdirSync(part, { recursive: true })
      writeFileSync(join(part, 'x'), 'x')
    }
    cache.close()
    expect(readdirSync(join(dir, 'tmp'))).toEqual([])
  })

  it('loses what a killed run has left, and keeps what belongs to a live one', () => {
    const live = openCacheFolder(dir, { keep: true, nowMs })
    const dead = spawnSync(process.execPath, ['-e', '']).pid
    const left = join(dir, 'tmp', basename(live.runDir).replace(String(process.pid), String(dead)))
    mkdirSync(join(left, 'deep'), { recursive: true })
    openCacheFolder(dir, { keep: true, nowMs }).close()
    expect([existsSync(left), existsSync(live.runDir)]).toEqual([false, true])
    live.close()
  })
})
