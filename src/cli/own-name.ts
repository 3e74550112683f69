/** What a person types to run this command again. */

import type { Environment } from '../environment.ts'

/** `npx ocibuild` for who came by npx or a script of npm: a shell then finds no `ocibuild`. */
export function ownName({ variables }: Pick<Environment, 'variables'>): string {
  return variables['npm_command'] === undefined ? 'ocibuild' : 'npx ocibuild'
}
