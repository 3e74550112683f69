/** A plan as text for people, or as JSON. */

import type {
  BuildOptions,
  BuildPlan,
  ImagePlanView,
  LayerPlanView,
  PlatformPlanView,
} from '../build-types.ts'
import type { CliContext } from './context.ts'
import { formatEntries } from './entry-tree.ts'
import { formatBytes, formatCount, formatTable } from './format.ts'
import { createPaint, type Paint } from './paint.ts'
import { formatAffected } from './print-affected.ts'
import { formatWhy } from './print-why.ts'
import { printable } from './printable.ts'
import { createProgress } from './progress.ts'
import type { CliServices } from './services.ts'

export interface PlanOutput {
  readonly json: boolean
  /** Every entry, not only the first of each folder. */
  readonly all: boolean
}

/** Makes a plan and prints it on stdout; warnings go to stderr. */
export async function printPlan(
  options: BuildOptions,
  output: PlanOutput,
  context: CliContext,
  services: CliServices,
): Promise<void> {
  const progress = await createProgress('none', context, { warnings: true })
  const plan = await services.createPlan({ ...options, signal: context.signal, onEvent: progress.onEvent })
  if (output.json) context.stdout(`${JSON.stringify(plan, null, 2)}\n`)
  else context.stdout(formatPlan(plan, output.all, createPaint(context.stdoutColors)))
}

/** The text, with a last newline. */
export function formatPlan(plan: BuildPlan, all: boolean, paint: Paint): string {
  const lines = plan.configFile === null ? [] : [`config    ${plan.configFile}`]
  if (plan.affected !== undefined) lines.push('', ...formatAffected(plan.affected, paint))
  for (const image of plan.images) {
    if (lines.length > 0) lines.push('')
    lines.push(...formatImage(image, all, paint))
  }
  return `${lines.join('\n')}\n`
}

function formatImage(image: ImagePlanView, all: boolean, paint: Paint): string[] {
  const rows = [
    ['image', paint('bold', `${image.name}:${image.tags.join(', ')}`)],
    ...(image.image === null ? [] : [['key', image.image]]),
    ['created', image.created],
    ...image.outputs.map((ref, index) => [index === 0 ? 'outputs' : '', ref]),
    ...image.prepare.map((command, index) => [index === 0 ? 'prepare' : '', command]),
  ]
  const annotations = Object.entries(image.annotations).map(([key, value]) => [key, value])
  return [
    ...formatTable(rows),
    ...(image.decisions.length === 0 ? [] : ['decisions', ...image.decisions.map((line) => `  ${line}`)]),
    ...(annotations.length === 0 ? [] : ['annotations', ...formatTable(annotations, { indent: '  ' })]),
    ...image.platforms.flatMap((platform) => formatPlatform(platform, all, paint)),
  ]
}

function formatPlatform(platform: PlatformPlanView, all: boolean, paint: Paint): string[] {
  const config = Object.entries(platform.config).map(([key, value]) => [key, formatValue(value)])
  const lines = ['', `${paint('bold', platform.platform)} on ${platform.base}`]
  if (config.length > 0) lines.push('  config', ...formatTable(config, { indent: '    ' }))
  for (const [index, layer] of platform.layers.entries()) lines.push(...formatLayer(layer, index, all, paint))
  const files = platform.layers.reduce((sum, layer) => sum + layer.files, 0)
  const size = platform.layers.reduce((sum, layer) => sum + layer.size, 0)
  const total = [formatCount(platform.layers.length, 'layer'), formatCount(files, 'file'), formatBytes(size)]
  return [...lines, `  ${paint('bold', `${total.join(', ')} before compression`)}`]
}

function formatLayer(layer: LayerPlanView, index: number, all: boolean, paint: Paint): string[] {
  const facts = [formatCount(layer.files, 'file'), formatBytes(layer.size), layer.compression]
  return [
    `  layer ${index} ${paint('bold', printable(layer.name))}  ${paint('dim', facts.join(', '))}`,
    ...(layer.why === undefined ? [] : formatWhy(layer.why, paint).map((line) => `    ${line}`)),
    // Who asks why looks for one path, not for all.
    ...(layer.why === undefined || all ? formatEntries(layer.entries, { all, indent: '    ', paint }) : []),
    ...layer.hidden.map(
      ({ rule, count }) => `    ${paint('yellow', 'hidden')} ${count} by ${printable(rule)}`,
    ),
  ]
}

function formatValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
