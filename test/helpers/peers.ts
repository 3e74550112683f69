/** Other people's tools: present, or the test is skipped with the reason; under CI their absence is a failure. */

import { execFileSync } from 'node:child_process'
import { describe, it, type TestContext } from 'vitest'

export type Peer =
  | 'skopeo'
  | 'umoci'
  | 'runc'
  | 'podman'
  | 'tar'
  | 'gzip'
  | 'zstd'
  | 'pigz'
  | 'docker-registry'
  | 'openssl'
  | 'git'
  | 'chroot'
  | 'qemu-aarch64-static'
  | 'mkfifo'
  | 'g++'

/** Where a peer lies, or undefined. sbin is looked at too: runc lives there and a user's PATH may lack it. */
export function findPeer(peer: Peer): string | undefined {
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
  try {
    return execFileSync('sh', ['-c', `command -v ${peer}`], {
      env: { ...process.env, PATH: path },
      encoding: 'utf8',
    }).trim()
  } catch {
    return undefined
  }
}

/**
 * `describe` for tests that need peers: runs `body` with their paths. Where one is missing the block is skipped
 * and says so, or fails when CI is set.
 */
export function describeWithPeers<const Names extends readonly Peer[]>(
  title: string,
  peers: Names,
  body: (paths: { readonly [Name in Names[number]]: string }) => void,
): void {
  const found = new Map(peers.map((peer) => [peer, findPeer(peer)]))
  const missing = peers.filter((peer) => found.get(peer) === undefined)
  if (missing.length === 0) {
    describe(title, () => body(Object.fromEntries(found) as { readonly [Name in Names[number]]: string }))
  } else if (process.env['CI'] === 'true') {
    it(`${title} (needs ${missing.join(', ')}, which CI must have)`, () => {
      throw new Error(`missing: ${missing.join(', ')}`)
    })
  } else {
    describe.skip(`${title} (skipped: ${missing.join(', ')} not installed)`, () =>
      body({} as { readonly [Name in Names[number]]: string }))
  }
}

/** As `describeWithPeers`, for one test. */
export function itWithPeers(title: string, peers: readonly Peer[], body: () => Promise<void>): void {
  const missing = peers.filter((peer) => findPeer(peer) === undefined)
  if (missing.length === 0) {
    it(title, body)
  } else if (process.env['CI'] === 'true') {
    it(`${title} (needs ${missing.join(', ')}, which CI must have)`, () => {
      throw new Error(`missing: ${missing.join(', ')}`)
    })
  } else {
    it.skip(`${title} (skipped: ${missing.join(', ')} not installed)`, body)
  }
}

/** Leaves a running test out and says why; under CI, which must have everything, it fails. */
export function skipOrFail(context: TestContext, reason: string): never {
  if (process.env['CI'] === 'true') throw new Error(`CI must have it: ${reason}`)
  return context.skip(reason)
}
