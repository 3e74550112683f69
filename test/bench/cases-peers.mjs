/** The same app by other people's tools that need no registry. */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { has } from './tools.mjs'
import { app, restore, settle, work } from './workload.mjs'

const layout = join(work, 'umoci')
const tar = `cd ${app} && tar cf - node_modules src`

const pipelines = [
  {
    id: 'pigz',
    name: 'tar | pigz -p2 -6 | sha256sum',
    command: `${tar} | pigz -p2 -6 | sha256sum`,
    needs: ['tar', 'pigz', 'sha256sum'],
  },
  {
    id: 'crane',
    name: 'tar | gzip -6, two sha256sum, as crane',
    command: `${tar} | tee >(sha256sum >/dev/null) | gzip -6 | sha256sum`,
    needs: ['tar', 'gzip', 'sha256sum'],
  },
  {
    id: 'tar-zstd',
    name: 'tar | zstd -3 -T2 | sha256sum',
    command: `${tar} | zstd -3 -T2 | sha256sum`,
    needs: ['tar', 'zstd', 'sha256sum'],
  },
]

/** @returns {{ cases: import('./measure.mjs').Case[], missing: { id: string, reason: string }[] }} */
export function peerCases() {
  const all = [
    ...pipelines.map((pipeline) => ({ ...pipeline, before: () => (restore(), settle()) })),
    {
      id: 'umoci',
      name: 'umoci insert, two layers',
      command: [
        `umoci insert --image ${layout}:latest ${app}/node_modules /app/node_modules`,
        `umoci insert --image ${layout}:latest ${app}/src /app/src`,
      ].join(' && '),
      before: () => {
        restore()
        settle(layout)
        execFileSync('umoci', ['init', '--layout', layout])
        execFileSync('umoci', ['new', '--image', `${layout}:latest`])
      },
      after: () => settle(layout),
      needs: ['umoci'],
    },
  ]
  const missing = []
  const cases = all.filter(({ id, needs }) => {
    const absent = needs.filter((tool) => !has(tool))
    if (absent.length > 0) missing.push({ id, reason: `${absent.join(', ')} not installed` })
    return absent.length === 0
  })
  return { cases, missing }
}

/** Bytes of the app's tar as pigz -6 writes them. */
export function pigzBytes() {
  if (!has('pigz')) return undefined
  return Number(execFileSync('sh', ['-c', `${tar} | pigz -p2 -6 | wc -c`], { encoding: 'utf8' }))
}
