/** The base of an image for one platform, whatever reference names it. */

import type { ImageSpec } from '../config/resolved-spec.ts'
import { openBaseImage, scratchBase, type BaseImage } from '../image/base-image.ts'
import type { Pins } from '../lock/pins.ts'
import { hostNodeRuntime } from '../node/host-runtime.ts'
import type { PlannedLayer } from '../plan/placement.ts'
import type { Platform } from '../spec/platform.ts'
import { openSpecSource } from './open-source.ts'
import type { Session } from './session.ts'

export interface OpenedBase {
  readonly image: BaseImage
  /** Layers that are made here and lie below the spec's: those of `host:node`. */
  readonly layers: readonly PlannedLayer[]
}

export async function openBase(
  spec: ImageSpec,
  platform: Platform,
  session: Session,
  pins: Pins,
): Promise<OpenedBase> {
  const { base, baseText } = spec
  if (base.transport === 'scratch') return { image: scratchBase, layers: [] }
  if (base.transport === 'host') return openHostRuntime(spec, platform, session)
  const image = await openBaseImage(await openSpecSource(base, spec, session, pins), platform, baseText)
  if (base.transport === 'docker') pins.opened(base, platform, image)
  return { image, layers: [] }
}

async function openHostRuntime(spec: ImageSpec, platform: Platform, session: Session): Promise<OpenedBase> {
  const { environment, options } = session
  const runtime = await hostNodeRuntime({ environment, platform, signal: options.signal })
  const { os, architecture, variant } = runtime.platform
  const image: BaseImage = {
    store: undefined,
    layers: [],
    config: {
      os,
      architecture,
      variant,
      config: { Env: runtime.env },
      rootfs: { type: 'layers', diff_ids: [] },
    },
  }
  const layer: PlannedLayer = {
    name: runtime.layerName,
    at: 'base',
    compression: spec.compression,
    placements: runtime.placements,
  }
  return { image, layers: [layer] }
}
