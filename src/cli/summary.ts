/** The end of a build, for people: a table of layers, the total, and what to type next. */

import type { BuildResult, ImageResult, LayerResult, PlatformResult } from '../build-types.ts'
import type { CliContext } from './context.ts'
import { formatBytes, formatCount, formatDuration, formatTable, shortDigest } from './format.ts'
import { nextCommands } from './next-commands.ts'
import { createPaint, type Paint } from './paint.ts'
import { formatAffected } from './print-affected.ts'
import { printable } from './printable.ts'

/** The whole summary, beginning with an empty line; `self` is what runs this tool. */
export function formatSummary(
  result: BuildResult,
  context: Pick<CliContext, 'colors'>,
  self: string = 'ocibuild',
): string {
  const paint = createPaint(context.colors)
  const lines: string[] = ['']
  if (result.affected !== undefined) lines.push(...formatAffected(result.affected, paint), '')
  if (result.affected !== undefined && result.images.length === 0) {
    lines.push(`${paint('green', 'nothing to build')} in ${formatDuration(result.durationMs)}`)
    return `${lines.join('\n')}\n`
  }
  for (const image of result.images) lines.push(...formatImage(image, paint), '')
  const count = result.images.length === 1 ? '' : `${formatCount(result.images.length, 'image')} `
  lines.push(`${paint('green', 'built')} ${count}in ${formatDuration(result.durationMs)}`)
  const [first] = result.images
  const commands = first === undefined ? [] : nextCommands(first, self)
  if (commands.length > 0) {
    const which = result.images.length === 1 ? '' : ` (for ${first?.image ?? first?.name})`
    lines.push('', `next${which}:`)
    lines.push(
      ...formatTable(
        commands.map(({ what, command }) => [what, command]),
        { indent: '  ' },
      ),
    )
  }
  return `${lines.join('\n')}\n`
}

function formatImage(image: ImageResult, paint: Paint): string[] {
  const { name, tags, platforms, digest, outputs } = image
  const lines = [`${paint('bold', `${name}${tags.length === 0 ? '' : `:${tags.join(', ')}`}`)}  ${digest}`]
  for (const output of outputs) lines.push(`  ${paint('dim', 'to')} ${output.ref}`)
  for (const platform of platforms) lines.push(...formatPlatform(platform, platforms.length > 1, paint))
  if (platforms.length > 1) lines.push(`  ${formatBytes(image.size)} in all, every blob once`)
  return lines
}

function formatPlatform(platform: PlatformResult, many: boolean, paint: Paint): string[] {
  const { layers } = platform
  const total = layers.reduce((sum, layer) => sum + layer.size, 0)
  const built = layers.filter((layer) => layer.from === 'build')
  const fromBase = layers.filter((layer) => layer.from === 'base')
  const rows = [
    ...(fromBase.length > 3 ? [baseRow(fromBase)] : fromBase.map(layerRow)),
    ...built.map(layerRow),
    ['total', formatBytes(total), '', formatCount(layers.length, 'layer')],
  ]
  const as = platform.twin === undefined ? '' : ` as ${platform.twin}`
  const head = `  ${platform.platform}${as}${many ? `  ${platform.digest}` : ''}`
  const table = formatTable(rows, { right: [1], indent: '    ' })
  return [paint('dim', head), ...table.slice(0, -1), paint('bold', table.at(-1) ?? '')]
}

function layerRow(layer: LayerResult): string[] {
  const origin = layer.from === 'base' ? 'base' : originOf(layer)
  return [printable(layer.name), formatBytes(layer.size), shortDigest(layer.digest), origin]
}

function originOf({ cached, cachedFrom }: LayerResult): string {
  return cachedFrom === undefined ? (cached ? 'cached' : 'built') : `from ${cachedFrom}`
}

// A base has the layers that it has: one row says what matters of them.
function baseRow(layers: readonly LayerResult[]): string[] {
  const size = layers.reduce((sum, layer) => sum + layer.size, 0)
  return [`${formatCount(layers.length, 'layer')} of the base`, formatBytes(size), '', 'base']
}
