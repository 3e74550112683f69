/** An image of a layout, unpacked once and run by runc again and again, or while a test signals it. Needs root. */

import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPeer } from './peers.ts'
import type { RunResult } from './run-image.ts'
import { temporaryFolder, umociUnpack } from './unpack.ts'

export interface ContainerBundle {
  /** Holds `config.json` and `rootfs`. */
  readonly folder: string
  /** Starts a container, one at a time. `args` in place of the image's own, `env` (`NAME=VALUE`) over it. */
  start(args?: readonly string[], env?: readonly string[]): RunningContainer
  remove(): void
}

export interface RunningContainer {
  /** Resolves when stdout holds the text; throws when the container ends before, or 20 seconds are over. */
  printed(text: string): Promise<void>
  /** To process 1, as `docker stop` and `kubectl delete` do. */
  signal(name: 'TERM' | 'INT' | 'KILL'): void
  readonly ended: Promise<RunResult>
}

export function unpackBundle(layoutDir: string, ref: string): ContainerBundle {
  const folder = temporaryFolder('ocibuild-bundle-')
  const bundle = join(folder, 'bundle')
  umociUnpack(layoutDir, ref, bundle)
  const original: unknown = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'))
  const runc = findPeer('runc') ?? 'runc'
  const state = ['--root', join(folder, 'state')]
  const ids: string[] = []
  return {
    folder: bundle,
    start(args, env = []) {
      const id = `ocibuild-${process.pid}-${Math.random().toString(36).slice(2, 10)}`
      ids.push(id)
      writeFileSync(join(bundle, 'config.json'), JSON.stringify(withProcess(original, args, env)))
      return follow(runc, [...state, 'run', '--bundle', bundle, id], (name) => {
        execFileSync(runc, [...state, 'kill', id, name], { stdio: 'pipe' })
      })
    },
    remove() {
      for (const id of ids) {
        try {
          execFileSync(runc, [...state, 'delete', '--force', id], { stdio: 'ignore' })
        } catch {
          // It is gone already when it ended by itself.
        }
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function follow(
  command: string,
  words: readonly string[],
  signal: RunningContainer['signal'],
): RunningContainer {
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  let isOver = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<RunResult>((done, failed) => {
    child.on('error', failed)
    child.on('close', (code) => {
      isOver = true
      done({ stdout, stderr, status: code ?? -1 })
    })
  })
  return {
    ended,
    signal,
    async printed(text) {
      for (let tries = 0; !stdout.includes(text); tries += 1) {
        if (isOver || tries > 1000) throw new Error(`never printed ${text}: ${stdout}${stderr}`)
        await new Promise((wake) => setTimeout(wake, 20))
      }
    },
  }
}

function withProcess(config: unknown, args: readonly string[] | undefined, env: readonly string[]): object {
  const own = member(config, 'process')
  const known = Reflect.get(own, 'env')
  const variables: readonly unknown[] = Array.isArray(known) ? known : []
  const changed = {
    ...own,
    ...(args && { args }),
    env: [...variables, ...env],
    terminal: false,
    rlimits: undefined,
  }
  return { ...Object(config), process: changed }
}

function member(value: unknown, name: string): object {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  if (typeof found !== 'object' || found === null) throw new Error(`config.json of the bundle has no ${name}`)
  return found
}
