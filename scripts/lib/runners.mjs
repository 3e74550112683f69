/** Ways to run an image of a layout and give back what it printed; each cleans up after itself. */

import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { ScriptError } from './project.mjs'

const timeoutMs = 60_000

/** In the order in which they are tried: runc needs no set-up of the machine beyond its kernel's. */
export const runners = [
  { name: 'runc', find: () => find('runc'), start: startWithRunc },
  { name: 'podman', find: () => find('podman'), start: startWithPodman },
  { name: 'docker', find: () => find('docker'), start: startWithDocker },
]

/** Where a program lies; sbin is looked at too: runc lives there and a user's PATH may lack it. */
function find(name) {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  return folders.map((folder) => join(folder, name)).find(isProgram)
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** stdout of a program; a ScriptError with its stderr when it fails. stdin is empty: containers may wait for it. */
function output(command, args) {
  const result = spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  if (result.error) throw new ScriptError(result.error.message)
  if (result.status !== 0) throw new ScriptError(result.stderr || `exit status ${result.status}`)
  return result.stdout
}

function startWithPodman(podman, { archive }) {
  // By the name that it gives the image itself: releases differ in what they read it from.
  const loaded = output(podman, ['load', '--quiet', '--input', archive])
  const name = loaded
    .trim()
    .split('\n')
    .at(-1)
    .replace(/^Loaded image(?:\(s\))?: /, '')
  try {
    return output(podman, ['run', '--rm', name])
  } finally {
    spawnSync(podman, ['rmi', '--force', name], { stdio: 'ignore' })
  }
}

function startWithDocker(docker, { archive, name, tag }) {
  output(docker, ['load', '-i', archive])
  return output(docker, ['run', '--rm', `${name}:${tag}`])
}

function startWithRunc(runc, image) {
  const folder = mkdtempSync(join(tmpdir(), 'ocibuild-demo-'))
  const bundle = join(folder, 'bundle')
  const id = `ocibuild-demo-${process.pid}`
  const state = ['--root', join(folder, 'state')]
  try {
    const umoci = find('umoci')
    if (umoci === undefined) unpackWithTar(runc, image, bundle)
    else output(umoci, ['unpack', ...rootless(), '--image', `${image.layout}:${image.tag}`, bundle])
    editConfig(join(bundle, 'config.json'), (runProcess) => runProcess)
    return output(runc, [...state, 'run', '--bundle', bundle, id])
  } finally {
    spawnSync(runc, [...state, 'delete', '--force', id], { stdio: 'ignore' })
    rmSync(folder, { recursive: true, force: true })
  }
}

function rootless() {
  return process.getuid() === 0 ? [] : ['--rootless']
}

/** host:node and what the example adds have no whiteouts: layers are unpacked one over the other, no more. */
function unpackWithTar(runc, { layout, tag }, bundle) {
  const rootfs = join(bundle, 'rootfs')
  mkdirSync(rootfs, { recursive: true })
  const blob = ({ digest }) => join(layout, 'blobs', ...digest.split(':'))
  const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))
  const { manifests } = readJson(join(layout, 'index.json'))
  const manifest = readJson(
    blob(manifests.find(({ annotations }) => annotations['org.opencontainers.image.ref.name'] === tag)),
  )
  for (const layer of manifest.layers)
    output('tar', ['-x', '-p', '--numeric-owner', '-C', rootfs, '-f', blob(layer)])
  output(runc, ['spec', ...rootless(), '--bundle', bundle])
  const { config } = readJson(blob(manifest.config))
  const [uid, gid] = numericUser(config.User, rootfs)
  editConfig(join(bundle, 'config.json'), (runProcess) => ({
    ...runProcess,
    args: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    env: config.Env ?? [],
    cwd: config.WorkingDir || '/',
    // Without root only one user is mapped into the container.
    user: process.getuid() === 0 ? { uid, gid } : { uid: 0, gid: 0 },
  }))
}

/** A user's name becomes what the image's passwd says. */
function numericUser(user, rootfs) {
  if (!user) return [0, 0]
  const entry = readFileSync(join(rootfs, 'etc/passwd'), 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name, , uid]) => name === user || uid === user)
  if (entry === undefined) throw new ScriptError(`the image has no user ${user}`)
  return [Number(entry[2]), Number(entry[3])]
}

/** No terminal, and no limits: in a container of a container they may not be raised. */
function editConfig(path, edit) {
  const config = JSON.parse(readFileSync(path, 'utf8'))
  const { rlimits: _, ...runProcess } = edit(config.process)
  config.process = { ...runProcess, terminal: false }
  writeFileSync(path, JSON.stringify(config))
}
