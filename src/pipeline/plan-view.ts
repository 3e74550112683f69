/** Plans as JSON: what `plan` and `--dry-run` print. */

import type {
  BuildPlan,
  ImagePlanView,
  LayerPlanView,
  LayerWhyView,
  PlannedEntryView,
  PlatformPlanView,
} from '../build-types.ts'
import type { ResolvedSpec } from '../config/resolved-spec.ts'
import { formatCompressions } from '../config/grammar.ts'
import { formatTime } from '../image/assemble-image.ts'
import { inheritConfig } from '../image/inherit-config.ts'
import type { ChangesetEntry } from '../layer/changeset.ts'
import { sourceSize } from '../layer/read-source.ts'
import { formatReference } from '../spec/parse-reference.ts'
import { formatPlatform } from '../spec/platform.ts'
import { explainLayers } from './explain-layers.ts'
import type { ImagePlan, PlatformPlan } from './plan-image.ts'
import type { LayerPlan } from './plan-layers-over.ts'
import type { Session } from './session.ts'

export async function planView(
  spec: ResolvedSpec,
  plans: readonly ImagePlan[],
  session: Session,
): Promise<BuildPlan> {
  const why = session.options.why === true ? await explainLayers(plans, session) : undefined
  return {
    schemaVersion: 1,
    configFile: spec.configFile ?? null,
    images: await Promise.all(plans.map((plan) => imageView(spec, plan, why))),
    warnings: session.warnings,
  }
}

type Why = ReadonlyMap<LayerPlan, LayerWhyView> | undefined

async function imageView(
  resolved: ResolvedSpec,
  { spec, platforms }: ImagePlan,
  why: Why,
): Promise<ImagePlanView> {
  return {
    image: spec.image ?? null,
    name: spec.name,
    tags: spec.tags,
    created: formatTime(spec.createdSeconds),
    annotations: spec.annotations,
    outputs: spec.outputs.map(formatReference),
    decisions: Array.from(new Set(platforms.flatMap((platform) => platform.decisions))),
    prepare: [...resolved.prepare, ...spec.prepare],
    platforms: await Promise.all(platforms.map((platform) => platformView(platform, why))),
  }
}

async function platformView(plan: PlatformPlan, why: Why): Promise<PlatformPlanView> {
  const { spec, platform, base, layers, hidden } = plan
  return {
    platform: formatPlatform(platform),
    base: spec.baseText,
    layers: await Promise.all(
      layers.map((layer) =>
        layerView(
          layer,
          hidden.filter((item) => item.layer === layer.name),
          why?.get(layer),
        ),
      ),
    ),
    config: inheritConfig(base.config?.config, spec.config, spec.metadataLabels),
  }
}

async function layerView(
  layer: LayerPlan,
  hidden: readonly { readonly rule: string; readonly count: number }[],
  why: LayerWhyView | undefined,
): Promise<LayerPlanView> {
  const { name, compression, size } = layer
  const { entries } = await layer.changeset()
  return {
    name,
    compression: formatCompressions(compression),
    files: entries.filter((entry) => entry.type === 'file').length,
    size: size.contentBytes,
    entries: entries.map(entryView),
    hidden: hidden.map(({ rule, count }) => ({ rule, count })),
    ...(why && { why }),
  }
}

function entryView(entry: ChangesetEntry): PlannedEntryView {
  const source = entry.type === 'file' && entry.source.kind === 'host' ? entry.source : undefined
  return {
    path: `/${entry.path}`,
    type: entry.type,
    mode: entry.mode.toString(8).padStart(4, '0'),
    uid: entry.uid,
    gid: entry.gid,
    size: entry.type === 'file' ? sourceSize(entry.source) : 0,
    target: entry.type === 'hardlink' ? `/${entry.target}` : 'target' in entry ? entry.target : undefined,
    source: source?.temporary === true || source?.offset !== undefined ? undefined : source?.path,
    origin: entry.origin,
  }
}
