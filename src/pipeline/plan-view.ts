/** Plans as JSON: what `plan` and `--dry-run` print. */

import type {
  BuildPlan,
  ImagePlanView,
  LayerPlanView,
  PlannedEntryView,
  PlatformPlanView,
} from '../build-types.ts'
import type { Compression, ResolvedSpec } from '../config/resolved-spec.ts'
import { formatTime } from '../image/assemble-image.ts'
import { inheritConfig } from '../image/inherit-config.ts'
import type { ChangesetEntry } from '../layer/changeset.ts'
import { contentBytes } from '../layer/build-layer.ts'
import { sourceSize } from '../layer/read-source.ts'
import { formatReference } from '../spec/parse-reference.ts'
import { formatPlatform } from '../spec/platform.ts'
import type { ImagePlan, LayerPlan, PlatformPlan } from './plan-image.ts'
import type { Session } from './session.ts'

export function planView(spec: ResolvedSpec, plans: readonly ImagePlan[], session: Session): BuildPlan {
  return {
    schemaVersion: 1,
    configFile: spec.configFile ?? null,
    images: plans.map((plan) => imageView(spec, plan)),
    warnings: session.warnings,
  }
}

function imageView(resolved: ResolvedSpec, { spec, platforms }: ImagePlan): ImagePlanView {
  return {
    image: spec.image ?? null,
    name: spec.name,
    tags: spec.tags,
    created: formatTime(spec.createdSeconds),
    annotations: spec.annotations,
    outputs: spec.outputs.map(formatReference),
    decisions: Array.from(new Set(platforms.flatMap((platform) => platform.decisions))),
    prepare: [...resolved.prepare, ...spec.prepare],
    platforms: platforms.map(platformView),
  }
}

function platformView({ spec, platform, base, layers, hidden }: PlatformPlan): PlatformPlanView {
  return {
    platform: formatPlatform(platform),
    base: spec.baseText,
    layers: layers.map((layer) =>
      layerView(
        layer,
        hidden.filter((item) => item.layer === layer.changeset.name),
      ),
    ),
    config: inheritConfig(base.config?.config, spec.config, spec.metadataLabels),
  }
}

function layerView(
  { changeset, compression }: LayerPlan,
  hidden: readonly { readonly rule: string; readonly count: number }[],
): LayerPlanView {
  return {
    name: changeset.name,
    compression: formatCompression(compression),
    files: changeset.entries.filter((entry) => entry.type === 'file').length,
    size: contentBytes(changeset),
    entries: changeset.entries.map(entryView),
    hidden: hidden.map(({ rule, count }) => ({ rule, count })),
  }
}

function formatCompression(compression: Compression): string {
  return compression.type === 'none' ? 'none' : `${compression.type}:${compression.level}`
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
    source: source?.temporary === true ? undefined : source?.path,
    origin: entry.origin,
  }
}
