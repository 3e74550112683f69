/** An image's description as text for people, as JSON, or its document as it is stored. */

import {
  describeImage,
  readRawDocument,
  type ImageDescription,
  type OtherDescription,
  type PlatformDescription,
} from '../inspect/describe-image.ts'
import { parsePlatform } from '../spec/platform.ts'
import type { CliContext } from './context.ts'
import { formatBytes, formatCount, formatTable } from './format.ts'
import { readImageArgument, withImage } from './image-argument.ts'
import { createPaint, type Paint } from './paint.ts'
import { printable } from './printable.ts'

export interface InspectRequest {
  readonly platform?: string | undefined
  readonly json?: boolean | undefined
  readonly raw?: boolean | undefined
}

export async function printInspect(
  ref: string | undefined,
  request: InspectRequest,
  context: CliContext,
): Promise<void> {
  const platform = request.platform === undefined ? undefined : parsePlatform(request.platform)
  const reference = readImageArgument(ref, context.environment)
  await withImage(reference, context, async ({ store, root, text }) => {
    const options = { platform, signal: context.signal }
    if (request.raw === true) {
      // Nothing is added, so that its digest can be taken.
      context.stdout(Buffer.from(await readRawDocument(store, root, options)).toString('utf8'))
      return
    }
    const description = await describeImage(store, root, options)
    if (request.json === true) {
      const { schemaVersion, ...rest } = description
      context.stdout(`${JSON.stringify({ schemaVersion, reference: text, ...rest }, null, 2)}\n`)
    } else context.stdout(formatDescription(description, text, createPaint(context.stdoutColors)))
  })
}

/** The text, with a last newline. */
export function formatDescription(image: ImageDescription, reference: string, paint: Paint): string {
  const lines = [
    ...formatTable([
      ['image', paint('bold', reference)],
      ['digest', image.digest],
      ['type', printable(image.mediaType)],
      ['size', formatBytes(image.size)],
    ]),
    ...formatMap('annotations', image.annotations, ''),
    ...image.platforms.flatMap((platform) => formatPlatform(platform, paint)),
    ...formatOthers(image.others),
  ]
  return `${lines.join('\n')}\n`
}

function formatPlatform(image: PlatformDescription, paint: Paint): string[] {
  const rows = [
    ['manifest', image.digest],
    ['config', image.config],
    ['created', image.created],
    ['author', image.author],
    ['user', image.user],
    ['workdir', image.workingDir],
    ['entrypoint', formatWords(image.entrypoint)],
    ['cmd', formatWords(image.cmd)],
    ['ports', image.exposedPorts.join(' ')],
    ['volumes', image.volumes.join(' ')],
    ['stop', image.stopSignal],
    ['health', formatWords(image.healthcheck?.Test)],
    ...image.env.map((item, i) => [i === 0 ? 'env' : '', item]),
  ]
  const known = rows
    .map(([name, value]) => [name ?? '', printable(value ?? '')])
    .filter(([, value]) => value !== '')
  return [
    '',
    paint('bold', printable(image.platform)),
    ...formatTable(known, { indent: '  ' }),
    ...formatMap('labels', image.labels, '  '),
    ...formatMap('annotations', image.annotations, '  '),
    ...formatLayers(image, paint),
  ]
}

function formatLayers(image: PlatformDescription, paint: Paint): string[] {
  const rows = image.layers.map(({ digest, size, mediaType, createdBy }, i) => [
    String(i),
    digest,
    formatBytes(size),
    printable(mediaType.slice(mediaType.lastIndexOf('.') + 1)),
    paint('dim', shorten(printable(createdBy ?? ''))),
  ])
  const total = `  ${formatCount(rows.length, 'layer')}, ${formatBytes(image.size)} in all`
  return [paint('bold', total), ...formatTable(rows, { indent: '    ', right: [0, 2] })]
}

function formatOthers(others: readonly OtherDescription[]): string[] {
  if (others.length === 0) return []
  const rows = others.map(({ digest, artifactType, mediaType, size }) => [
    digest,
    formatBytes(size),
    printable(artifactType ?? mediaType),
  ])
  return ['', 'no images', ...formatTable(rows, { indent: '  ', right: [1] })]
}

function formatMap(title: string, map: Readonly<Record<string, string>>, indent: string): string[] {
  const rows = Object.entries(map).map(([key, value]) => [printable(key), printable(value)])
  return rows.length === 0 ? [] : [`${indent}${title}`, ...formatTable(rows, { indent: `${indent}  ` })]
}

function formatWords(words: readonly string[] | null | undefined): string | null {
  return words ? JSON.stringify(words) : null
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
