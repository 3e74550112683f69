/** The image config and the creation time: checked words become values. */

import type { Environment } from '../environment.ts'
import { OciBuildError } from '../errors.ts'
import type { HealthcheckConfig } from '../spec/image-config.ts'
import { formatPort, maxSeconds, parseDuration, parseTime } from './grammar.ts'
import type { ConfigSpec, GitInfo } from './resolved-spec.ts'
import { present } from './schema-tools.ts'
import type { ConfigWords, HealthcheckWords, List } from './spec-types.ts'

/** The config with the command line's labels over it. */
export function resolveImageConfig(
  words: ConfigWords | null | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): ConfigSpec {
  const { env, user, exposedPorts, healthcheck, ...rest } = words ?? {}
  const resolved: ConfigSpec = {
    entrypoint: listOf(rest.entrypoint),
    cmd: listOf(rest.cmd),
    env,
    workingDir: rest.workingDir,
    user: typeof user === 'number' ? String(user) : user,
    exposedPorts: exposedPorts && [...new Set(present(exposedPorts).map((port) => formatPort(port)))],
    volumes: listOf(rest.volumes),
    labels: labels && Object.keys(labels).length > 0 ? { ...rest.labels, ...labels } : rest.labels,
    stopSignal: rest.stopSignal,
    healthcheck: healthcheck && resolveHealthcheck(healthcheck),
    author: rest.author,
  }
  return resolved
}

function listOf(words: List<string> | null | undefined): readonly string[] | null | undefined {
  return words === null || words === undefined ? words : present(words)
}

function resolveHealthcheck(words: HealthcheckWords): HealthcheckConfig {
  const duration = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : parseDuration(text)
  return {
    Test: present(words.test),
    Interval: duration(words.interval),
    Timeout: duration(words.timeout),
    StartPeriod: duration(words.startPeriod),
    StartInterval: duration(words.startInterval),
    Retries: words.retries,
  }
}

/**
 * Seconds since the epoch: SOURCE_DATE_EPOCH, else the spec's words (default `git`: committer time of HEAD, the
 * epoch outside git). Throws `OCB-USAGE-SOURCE-DATE-EPOCH`.
 */
export function resolveCreated(
  words: string | number | undefined,
  git: GitInfo,
  variables: Environment['variables'],
): number {
  const epoch = variables['SOURCE_DATE_EPOCH']
  if (epoch !== undefined && epoch !== '') {
    if (/^\d{1,10}$/.test(epoch) && Number(epoch) <= maxSeconds) return Number(epoch)
    throw new OciBuildError('OCB-USAGE-SOURCE-DATE-EPOCH', {
      message: `SOURCE_DATE_EPOCH is ${JSON.stringify(epoch)}; wanted whole seconds since 1970, up to ${maxSeconds}`,
      hint: 'set it to a number of seconds, or unset it',
    })
  }
  if (typeof words === 'number') return words
  if (words === undefined || words === 'git') return git.commitSeconds ?? 0
  return words === 'epoch' ? 0 : (parseTime(words) ?? 0)
}
