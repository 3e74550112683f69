/** Runs an image of a layout with runc: unpacked by umoci, without a terminal, cleaned up after. Needs root. */

import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPeer } from './peers.ts'
import { temporaryFolder, umociUnpack } from './unpack.ts'

export interface RunResult {
  readonly stdout: string
  readonly stderr: string
  readonly status: number
}

export interface RunOptions {
  /** In place of the image's entrypoint and cmd. */
  readonly args?: readonly string[] | undefined
  /** Added to the image's own, `NAME=VALUE`. */
  readonly env?: readonly string[] | undefined
  /** Default: 30,000. The container is killed after. */
  readonly timeoutMs?: number | undefined
}

/** Why images cannot be run here; undefined when they can. For `describe.skipIf`. */
export function cannotRun(): string | undefined {
  if (findPeer('umoci') === undefined) return 'umoci is not installed'
  if (findPeer('runc') === undefined) return 'runc is not installed'
  return process.getuid?.() === 0 ? undefined : 'runc needs root here'
}

export async function runWithRunc(
  layoutDir: string,
  ref: string,
  options: RunOptions = {},
): Promise<RunResult> {
  const folder = temporaryFolder('ocibuild-run-')
  const runc = findPeer('runc') ?? 'runc'
  const state = join(folder, 'state')
  // The state folder is this run's own; the id still names a cgroup of the whole machine.
  const id = `ocibuild-${process.pid}-${Math.random().toString(36).slice(2, 10)}`
  try {
    umociUnpack(layoutDir, ref, join(folder, 'bundle'))
    editConfig(join(folder, 'bundle', 'config.json'), options)
    return await run(
      runc,
      ['--root', state, 'run', '--bundle', join(folder, 'bundle'), id],
      options.timeoutMs,
    )
  } finally {
    try {
      execFileSync(runc, ['--root', state, 'delete', '--force', id], { stdio: 'ignore' })
    } catch {
      // It is gone already when it ended by itself.
    }
    rmSync(folder, { recursive: true, force: true })
  }
}

type Json = Record<string, unknown>

function editConfig(path: string, { args, env }: RunOptions): void {
  const config = object(JSON.parse(readFileSync(path, 'utf8')))
  const runProcess = object(config['process'])
  delete runProcess['rlimits']
  const own = Array.isArray(runProcess['env']) ? runProcess['env'] : []
  config['process'] = {
    ...runProcess,
    terminal: false,
    env: [...own, ...(env ?? [])],
    ...(args && { args }),
  }
  writeFileSync(path, JSON.stringify(config))
}

function object(value: unknown): Json {
  if (typeof value !== 'object' || value === null)
    throw new Error('config.json of the bundle is not an object')
  return { ...value }
}

async function run(command: string, args: readonly string[], timeoutMs = 30_000): Promise<RunResult> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === null) reject(new Error(`${command} was ended by ${signal}; stderr: ${stderr}`))
      else resolve({ stdout, stderr, status: code })
    })
  })
}
