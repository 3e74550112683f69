/** Reads image configs of others (image-spec v1.1.1 config.md). */

import type { ExecutionConfig, HealthcheckConfig, HistoryEntry, ImageConfig } from './image-config.ts'
import { readDigest } from './parse-descriptor.ts'
import {
  decodeDocument,
  invalidDocument,
  readBoolean,
  readInteger,
  readList,
  readMap,
  readMembers,
  readObject,
  readString,
  readStringMap,
  readStrings,
} from './read-value.ts'

/**
 * Parses an image config from its bytes or from decoded JSON. Keys of `config` that image-spec does not know are
 * kept as they came; those of the document itself are dropped. Throws `OCB-DOCUMENT-INVALID`, `OCB-DOCUMENT-TOO-LARGE`.
 */
export function parseImageConfig(input: unknown, at = 'config'): ImageConfig {
  const object = readObject(decodeDocument(input, at), at)
  const rootfs = readObject(object['rootfs'], `${at}.rootfs`)
  if (rootfs['type'] !== 'layers') throw invalidDocument(`${at}.rootfs.type`, 'not "layers"')
  return {
    ...readMembers(object, at, {
      created: readString,
      author: readString,
      'os.version': readString,
      'os.features': readStrings,
      variant: readString,
      config: readExecution,
      history: readHistory,
    }),
    architecture: readString(object['architecture'], `${at}.architecture`),
    os: readString(object['os'], `${at}.os`),
    rootfs: {
      type: 'layers',
      diff_ids: readList(rootfs['diff_ids'] ?? [], `${at}.rootfs.diff_ids`, readDigest),
    },
  }
}

function readExecution(value: unknown, at: string): ExecutionConfig {
  const object = readObject(value, at)
  const known = readMembers(object, at, {
    User: readString,
    ExposedPorts: readObjectMap,
    Env: readStrings,
    Entrypoint: readStrings,
    Cmd: readStrings,
    Volumes: readObjectMap,
    WorkingDir: readString,
    Labels: readStringMap,
    StopSignal: readString,
    Healthcheck: readHealthcheck,
  })
  // A key whose value is null stays out of `known`, and the null must not come back with the unknown ones.
  const unknown = Object.entries(object).filter(([, item]) => item !== null)
  return { ...Object.fromEntries(unknown), ...known }
}

function readObjectMap(value: unknown, at: string): Readonly<Record<string, object>> {
  return readMap(value, at, (item, itemAt) => (item === null ? {} : readObject(item, itemAt)))
}

function readHealthcheck(value: unknown, at: string): HealthcheckConfig {
  const object = readObject(value, at)
  const known = readMembers(object, at, {
    Test: readStrings,
    Interval: readInteger,
    Timeout: readInteger,
    StartPeriod: readInteger,
    StartInterval: readInteger,
    Retries: readInteger,
  })
  return { ...object, ...known }
}

function readHistory(value: unknown, at: string): readonly HistoryEntry[] {
  return readList(value, at, (item, itemAt) =>
    readMembers(readObject(item, itemAt), itemAt, {
      created: readString,
      created_by: readString,
      author: readString,
      comment: readString,
      empty_layer: readBoolean,
    }),
  )
}
