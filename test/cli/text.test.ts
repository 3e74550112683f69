/** Summaries, plans and numbers as people read them. */

import { describe, expect, it } from 'vitest'
import { formatBytes, formatDuration, formatTable } from '../../src/cli/format.ts'
import { nextCommands } from '../../src/cli/next-commands.ts'
import { createPaint } from '../../src/cli/paint.ts'
import { formatPlan } from '../../src/cli/print-plan.ts'
import { formatSummary } from '../../src/cli/summary.ts'
import { fakeDigest, fakeImage, fakeLayer, fakePlan, fakeResult } from './fake-result.ts'

const plain = { colors: false }
const paint = createPaint(false)

describe('numbers', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [999_949, '999.9 kB'],
    [999_960, '1.0 MB'],
    [12_345_678, '12.3 MB'],
    [5e15, '5000.0 TB'],
  ])('%i bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

  it.each([
    [0.4, '0 ms'],
    [999, '999 ms'],
    [1234, '1.2 s'],
    [59_990, '1 min 0 s'],
    [125_000, '2 min 5 s'],
  ])('%d ms are %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

  it('pads columns by what is seen, not by colour codes', () => {
    const red = createPaint(true)('red', 'ab')
    expect(
      formatTable(
        [
          [red, '1'],
          ['abc', '22'],
        ],
        { right: [1] },
      ),
    ).toEqual([`${red}    1`, 'abc  22'])
  })
})

describe('summary', () => {
  it('lists layers with size and origin, the total, and what to type next', () => {
    expect(formatSummary(fakeResult(), plain)).toBe(`
registry.example.com/team/app:1.4.0, latest  ${fakeDigest('a')}
  to oci:out
  linux/amd64
    assets  1.0 MB  sha256:111111111111  cached
    app     2.5 MB  sha256:111111111111  built
    total   3.5 MB                       2 layers

built in 1.2 s

next:
  run   podman run --rm oci:out:1.4.0
  load  skopeo copy oci:out:1.4.0 docker-daemon:registry.example.com/team/app:1.4.0
  push  ocibuild copy oci:out:1.4.0 registry.example.com/team/app:1.4.0
  look  ocibuild inspect oci:out:1.4.0
`)
  })

  it('sums up a base of many layers, and counts the blobs of several platforms once', () => {
    const base = Array.from({ length: 5 }, (_, index) => fakeLayer(`base ${index}`, 10e6, 'base'))
    const platform = { config: fakeDigest('c'), layers: [...base, fakeLayer('app', 1e6, 'built')] }
    const image = fakeImage({
      platforms: [
        { ...platform, platform: 'linux/amd64', digest: fakeDigest('d') },
        { ...platform, platform: 'linux/arm64', digest: fakeDigest('e') },
      ],
    })
    const text = formatSummary(fakeResult([image]), plain)
    expect(text).toMatch(/5 layers of the base +50\.0 MB +base/)
    expect(text).toContain(`linux/arm64  ${fakeDigest('e')}`)
    expect(text).toContain('3.5 MB in all, every blob once')
    expect(text).toContain('ocibuild copy oci:out:1.4.0')
  })
})

describe('next commands', () => {
  const commandsOf = (ref: string, changes: Parameters<typeof fakeImage>[0] = {}): string[] =>
    nextCommands(fakeImage({ outputs: [{ ref, digest: fakeDigest('a') }], ...changes }), 'ocibuild').map(
      ({ command }) => command,
    )

  it('loads a docker-archive with docker', () => {
    expect(commandsOf('docker-archive:app.tar')).toContain('docker load -i app.tar')
  })

  it('uses the ref that the output names', () => {
    expect(commandsOf('oci:out:mine')).toContain('podman run --rm oci:out:mine')
    expect(commandsOf(`oci:out:@${fakeDigest('a')}`)).toContain('podman run --rm oci:out:1.4.0')
  })

  it('quotes paths for a shell, and keeps a drive together', () => {
    expect(commandsOf("docker-archive:it's mine.tar")).toContain("docker load -i 'it'\\''s mine.tar'")
    expect(commandsOf('oci:C:\\x')).toContain("podman run --rm 'oci:C:\\x:1.4.0'")
  })

  it('says nothing of an image that went down a pipe', () => {
    expect(commandsOf('oci-archive:-')).toEqual([])
  })

  it('marks the registry that a name without host does not have', () => {
    expect(commandsOf('oci:out', { name: 'app' }).join('\n')).toContain(' REGISTRY/app:1.4.0')
  })
})

describe('plan', () => {
  it('shows config, layers, a short tree of entries and what was hidden', () => {
    expect(formatPlan(fakePlan(), false, paint)).toBe(`config    /repo/oci.config.ts

image    app:latest
created  1970-01-01T00:00:00Z
outputs  oci:.ocibuild/image
prepare  npm run build

linux/amd64 on scratch
  config
    Env         ["A=1"]
    WorkingDir  /app
  layer 0 app  21 files, 2.1 kB, gzip:5
    /app/dist/  20 files, 2.0 kB
      file-0.js  100 B
      file-1.js  100 B
      file-2.js  100 B
      file-3.js  100 B
      file-4.js  100 B
      file-5.js  100 B
      file-6.js  100 B
      file-7.js  100 B
      … 12 more (12 files, 1.2 kB; --all shows all)
    /bin/app -> /app/x
    /etc/ opaque  0 files, 0 B
      old  removed
    hidden 3 by exclude "*.map"
  1 layer, 21 files, 2.1 kB before compression
`)
  })

  it('shows every entry with mode, owner, size and source on --all', () => {
    const text = formatPlan(fakePlan(), true, paint)
    expect(text).toContain('    - 0644 1000:1000     100 B  /app/dist/file-19.js  < /repo/dist/file-19.js\n')
    expect(text).toContain('    l 0777 0:0                  /bin/app -> /app/x\n')
    expect(text).toContain('    w 0644 0:0                  /etc/old\n')
  })
})
