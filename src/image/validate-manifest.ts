/** The rules of one manifest: its config, its layers, and that they agree (image-spec v1.1.1 manifest.md, config.md). */

import { isFileBacked } from '../content/capabilities.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import type { Digest } from '../spec/digest.ts'
import { splitDigest } from '../spec/digest.ts'
import { isNondistributable, layerCompression, mediaTypes } from '../spec/media-type.ts'
import { effectiveVariant, type Platform } from '../spec/platform.ts'
import { checkConfig, type ConfigFacts } from './validate-config.ts'
import { checkDescriptor } from './validate-descriptor.ts'
import { checkDescriptorList, parseDocument, readDocumentBytes } from './validate-document.ts'
import type { Findings } from './validate-finding.ts'
import type { ValidationRun } from './validate-image.ts'
import { addContentFinding, checkBlob, checkLayerBlob, type LayerFacts } from './validate-layer.ts'

type Layers = readonly (Descriptor | undefined)[]

export async function checkManifest(
  run: ValidationRun,
  document: Readonly<Record<string, unknown>>,
  descriptor: Descriptor,
  where: string,
): Promise<void> {
  const { findings } = run
  const config = checkDescriptor(document['config'], `${where} config`, findings)
  const layers = checkDescriptorList(document, 'layers', where, findings) ?? []
  if (layers.length === 0)
    findings.add('OCB-VALIDATE-NO-LAYERS', where, 'has no layers; should have at least one')
  if (config?.mediaType === mediaTypes.empty && document['artifactType'] === undefined) {
    const message = 'has an empty config and no artifactType; one of the two must say what it is'
    findings.add('OCB-VALIDATE-ARTIFACT-TYPE', where, message)
  }
  const isImage = config?.mediaType === mediaTypes.config || config?.mediaType === mediaTypes.dockerConfig
  if (!config || !isImage) {
    await checkArtifact(run, config, layers, where)
    return
  }
  const facts = await readConfig(run, config, where)
  if (facts) compareWithConfig(facts, layers, descriptor.platform, where, findings)
  await checkLayers(run, layers, facts, where)
}

/** Not an image: only content is checked, whatever it is. */
async function checkArtifact(
  run: ValidationRun,
  config: Descriptor | undefined,
  layers: Layers,
  where: string,
): Promise<void> {
  for (const [place, blob] of [
    ['config', config] as const,
    ...layers.map((layer, i) => [`layers[${i}]`, layer] as const),
  ]) {
    if (!blob || !run.begin(blob.digest)) continue
    if (run.fast && place !== 'config') await lookFor(run, blob, `${where} ${place}`)
    else await checkBlob(run.store, blob, `${where} ${place}`, run.findings, run)
  }
}

async function readConfig(
  run: ValidationRun,
  config: Descriptor,
  where: string,
): Promise<ConfigFacts | undefined> {
  run.begin(config.digest)
  const bytes = await readDocumentBytes(run.store, config, `${where} config`, run.findings, run)
  const place = `config ${config.digest}`
  const document = bytes && parseDocument(bytes, place, run.findings)
  return document && checkConfig(document, place, run.findings)
}

function compareWithConfig(
  facts: ConfigFacts,
  layers: Layers,
  platform: Platform | undefined,
  where: string,
  findings: Findings,
): void {
  const { diffIds, historyLayers } = facts
  if (diffIds && diffIds.length !== layers.length) {
    const message = `has ${layers.length} layers, its config ${diffIds.length} diff_ids`
    findings.add('OCB-VALIDATE-LAYER-COUNT', where, message)
  }
  if (historyLayers !== undefined && historyLayers !== layers.length) {
    const message = `has ${layers.length} layers, its config's history ${historyLayers} entries that are no empty_layer`
    findings.add('OCB-VALIDATE-HISTORY-COUNT', where, message)
  }
  if (platform && facts.platform) comparePlatforms(platform, facts.platform, where, findings)
}

function comparePlatforms(offered: Platform, own: Platform, where: string, findings: Findings): void {
  for (const field of ['os', 'architecture', 'variant', 'os.version', 'os.features'] as const) {
    const [said, seen] = [String(offered[field] ?? ''), String(own[field] ?? '')]
    if (said === seen) continue
    const isSameVariant = field === 'variant' && effectiveVariant(offered) === effectiveVariant(own)
    const code = isSameVariant ? 'OCB-VALIDATE-PLATFORM-VARIANT' : 'OCB-VALIDATE-PLATFORM-MISMATCH'
    findings.add(code, where, `its descriptor's platform has ${field} "${said}", its config "${seen}"`)
  }
}

async function checkLayers(
  run: ValidationRun,
  layers: Layers,
  facts: ConfigFacts | undefined,
  where: string,
): Promise<void> {
  const lower: LayerFacts[] = []
  let isWhole = true
  for (const [i, layer] of layers.entries()) {
    const place = `${where} layers[${i}]`
    const result = layer && (await checkLayer(run, layer, facts?.diffIds?.[i], place))
    if (result?.names) {
      checkDanglingLinks(result.names.danglingLinks, lower, isWhole, place, run.findings)
      lower.push(result)
    } else isWhole = false
  }
}

async function checkLayer(
  run: ValidationRun,
  layer: Descriptor,
  diffId: Digest | undefined,
  where: string,
): Promise<LayerFacts | undefined> {
  if (isNondistributable(layer.mediaType)) {
    run.note(where, `${layer.mediaType} stays at its urls and was not read`)
    return undefined
  }
  if (
    layerCompression(layer.mediaType) === undefined &&
    !layer.mediaType.startsWith('application/vnd.in-toto')
  ) {
    run.findings.add(
      'OCB-VALIDATE-MEDIA-TYPE-UNKNOWN',
      where,
      `${layer.mediaType} is no layer type that we know`,
    )
  }
  const isNew = run.begin(layer.digest)
  if (run.fast) {
    if (isNew) await lookFor(run, layer, where)
    return undefined
  }
  const algorithm = diffId ? splitDigest(diffId).algorithm : 'sha256'
  const key = `${layer.digest} ${layer.size} ${layer.mediaType} ${algorithm}`
  const known = run.layers.get(key)
  const result =
    known ??
    (await checkLayerBlob(run.store, layer, where, run.findings, {
      signal: run.signal,
      diffIdAlgorithm: algorithm,
      onBytes: run.onBytes,
    }))
  run.layers.set(key, result)
  if (diffId && result.diffId && result.diffId !== diffId) {
    const message = `its config says diffID ${diffId}; the uncompressed bytes are ${result.diffId}`
    run.findings.add('OCB-VALIDATE-DIFF-ID', where, message)
  }
  return result
}

/** Whether a blob is there, without reading it; on a disk its size tells too. */
async function lookFor(run: ValidationRun, blob: Descriptor, where: string): Promise<void> {
  if (isFileBacked(run.store)) {
    if ((await run.store.fileOf(blob)) !== undefined) return
    const message = `${blob.digest} of ${blob.size} bytes is not in the store`
    run.findings.add('OCB-VALIDATE-MISSING', where, message)
    return
  }
  try {
    const content = await run.store.fetch(blob, { signal: run.signal })
    // Lets go of the file or connection.
    await content[Symbol.asyncIterator]().return?.()
  } catch (error) {
    if (!addContentFinding(error, where, run.findings)) throw error
  }
}

/** `isWhole`: the names of every lower layer are known. */
function checkDanglingLinks(
  links: readonly { readonly path: string; readonly target: string }[],
  lower: readonly LayerFacts[],
  isWhole: boolean,
  where: string,
  findings: Findings,
): void {
  for (const { path, target } of links) {
    if (lower.some(({ names }) => names?.names.has(target))) {
      const message = `hard link "${path}" is to "${target}" of a lower layer; not every reader can make it`
      findings.add('OCB-VALIDATE-HARDLINK-LOWER', where, message)
    } else if (isWhole) {
      findings.add(
        'OCB-VALIDATE-HARDLINK',
        where,
        `hard link "${path}" is to "${target}", which no layer holds`,
      )
    }
  }
}
