/** The image config of a Node.js project: what the spec sets itself wins. */

import type { ConfigSpec } from '../../config/resolved-spec.ts'
import type { StartCommand } from './start-command.ts'

/**
 * `start` is undefined where the spec has a command of its own; `user` where spec or base has one. `needed`: variables
 * without which no program finds its packages.
 */
export function nodeConfig(
  own: ConfigSpec,
  start: StartCommand | undefined,
  workingDir: string,
  user: string | undefined,
  needed: Readonly<Record<string, string>> = {},
): ConfigSpec {
  const options = [needed['NODE_OPTIONS'], start?.env['NODE_OPTIONS']].filter((text) => text !== undefined)
  const both = options.length > 1 ? { NODE_OPTIONS: options.join(' ') } : {}
  const env =
    own.env === null ? null : { NODE_ENV: 'production', ...needed, ...start?.env, ...both, ...own.env }
  const given = own.env?.['PORT']
  const port = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : start?.port
  return {
    ...own,
    // The official image's entrypoint is a shell script; without it `docker run IMAGE node x.js` is that and no more.
    entrypoint: own.entrypoint === undefined ? [] : own.entrypoint,
    cmd: own.cmd === undefined ? start?.cmd : own.cmd,
    env,
    workingDir: own.workingDir === undefined ? workingDir : own.workingDir,
    user: own.user === undefined ? user : own.user,
    exposedPorts: own.exposedPorts === undefined && port !== undefined ? [`${port}/tcp`] : own.exposedPorts,
  }
}
