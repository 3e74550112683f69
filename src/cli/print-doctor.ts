/** What `doctor` prints. */

import type { Check } from '../transfer/check.ts'
import { examineRegistry } from '../transfer/doctor.ts'
import type { CliContext } from './context.ts'
import type { DoctorFlags } from './doctor.ts'
import { exitStatus } from './exit-status.ts'
import { formatTable } from './format.ts'
import { createPaint, type Paint } from './paint.ts'
import { printable } from './printable.ts'
import { withRegistries } from './registry-session.ts'
import { readHost } from './run-login.ts'
import { readRepository } from './run-tags.ts'

export async function printDoctor(text: string, flags: DoctorFlags, context: CliContext): Promise<void> {
  const bare = text.replace(/^(?:https?|docker):\/\//i, '').replace(/\/$/, '')
  const isHost = !bare.includes('/')
  const { host, repository } = isHost ? { host: readHost(bare), repository: undefined } : readRepository(bare)
  await withRegistries(context, [], async ({ places, credentials }) => {
    const checks = await examineRegistry(host, repository, {
      context: places.registries,
      credentials,
      write: flags.write,
    })
    const view = { schemaVersion: 1, host, repository: repository ?? null, checks }
    context.stdout(
      flags.json === true
        ? `${JSON.stringify(view, null, 2)}\n`
        : formatChecks(checks, createPaint(context.stdoutColors)),
    )
    if (checks.some(({ status }) => status === 'failed')) context.setExitStatus(exitStatus.refused)
  })
}

const colors = { ok: 'green', no: 'yellow', failed: 'red', skipped: 'dim' } as const

function formatChecks(checks: readonly Check[], paint: Paint): string {
  const rows = checks.map(({ name, status, detail }) => [
    paint(colors[status], status),
    name,
    printable(detail),
  ])
  return `${formatTable(rows).join('\n')}\n`
}
