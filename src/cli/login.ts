/** `ocibuild login` and `logout`: credentials, kept where docker keeps them. */

import type { Command } from 'commander'
import type { CliContext } from './context.ts'

export interface LoginFlags {
  readonly username?: string | undefined
  readonly passwordStdin?: boolean | undefined
  readonly json?: boolean | undefined
}

const loginExamples = `
Examples:
  ocibuild login ghcr.io -u somebody                             asks for the password
  echo "$TOKEN" | ocibuild login ghcr.io -u somebody --password-stdin
  ocibuild login localhost:5000

What is stored is read by docker too: in the credential helper that ~/.docker/config.json names, else in that file.
`

const logoutExamples = `
Examples:
  ocibuild logout ghcr.io
`

/** Registers `login` and `logout`. */
export function registerLogin(program: Command, context: CliContext): void {
  program
    .command('login')
    .summary('log in to a registry')
    .description('Checks a user name and a password or token with a registry, and stores them.')
    .argument('<host>', 'HOST[:PORT]; docker.io for Docker Hub')
    .option('-u, --username <user>', 'the user name')
    .option('--password-stdin', 'read the password or token from stdin')
    .option('--json', 'print as JSON')
    .addHelpText('after', loginExamples)
    .action(async (host: string, flags: LoginFlags) => {
      const { runLogin } = await import('./run-login.ts')
      await runLogin(host, flags, context)
    })
  program
    .command('logout')
    .summary('forget the credential of a registry')
    .description('Removes what login stored.')
    .argument('<host>', 'HOST[:PORT]')
    .option('--json', 'print as JSON')
    .addHelpText('after', logoutExamples)
    .action(async (host: string, flags: Pick<LoginFlags, 'json'>) => {
      const { runLogout } = await import('./run-login.ts')
      await runLogout(host, flags, context)
    })
}
