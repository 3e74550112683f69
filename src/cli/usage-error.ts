/** Commander's complaints in the house's words. */

import type { CommanderError } from 'commander'
import { OciBuildError, type ErrorCode } from '../errors.ts'

const codes: Readonly<Record<string, ErrorCode>> = {
  'commander.unknownOption': 'OCB-USAGE-OPTION',
  'commander.optionMissingArgument': 'OCB-USAGE-OPTION-VALUE',
  'commander.invalidArgument': 'OCB-USAGE-OPTION-VALUE',
  'commander.conflictingOption': 'OCB-USAGE-OPTION',
  'commander.unknownCommand': 'OCB-USAGE-COMMAND',
}

/** The error of a command line that Commander refused; `helpCommand` is where its options are listed. */
export function usageError(error: CommanderError, helpCommand: string): OciBuildError {
  const [message = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n')
  const suggested = /^\(Did you mean (.*)\?\)$/.exec(suggestion)?.[1]
  return new OciBuildError(codes[error.code] ?? 'OCB-USAGE-ARGUMENTS', {
    message,
    hint: suggested === undefined ? `see "${helpCommand}"` : `did you mean ${suggested}?`,
  })
}
