/** Checks a whole image, every blob of it, against image-spec v1.1.1. */

import type { Fetcher } from '../content/store.ts'
import { throwIfAborted } from '../errors.ts'
import { zstdAnnotation, type Descriptor } from '../spec/descriptor.ts'
import { isIndexType, isManifestType } from '../spec/media-type.ts'
import { formatPlatform } from '../spec/platform.ts'
import { checkDescriptorList, checkEnvelope, parseDocument, readDocumentBytes } from './validate-document.ts'
import { createFindings, type Finding, type Findings } from './validate-finding.ts'
import { checkBlob, type LayerFacts } from './validate-layer.ts'
import { checkManifest } from './validate-manifest.ts'

export interface ValidateOptions {
  readonly signal?: AbortSignal | undefined
  /** Documents and configs only: layer blobs are looked for, not read. Default: false. */
  readonly fast?: boolean | undefined
  readonly onProgress?: ((progress: ValidateProgress) => void) | undefined
}

export interface ValidateProgress {
  /** Distinct blobs that were begun. */
  readonly blobs: number
  /** Bytes that were read, as they are stored. */
  readonly bytes: number
}

export interface ValidationReport {
  /** No finding is an error. */
  readonly valid: boolean
  readonly findings: readonly Finding[]
  /** What was left out and why, e.g. non-distributable layers. */
  readonly notes: readonly { readonly where: string; readonly message: string }[]
  /** Distinct blobs that were looked at: documents, configs and layers. */
  readonly blobs: number
  /** Bytes that were read, as they are stored. */
  readonly bytes: number
}

/** One walk: what is shared by all documents of it. */
export interface ValidationRun {
  readonly store: Fetcher
  readonly findings: Findings
  readonly signal: AbortSignal | undefined
  readonly fast: boolean
  /** Layers by digest and media type; platforms share them and each is read once. */
  readonly layers: Map<string, LayerFacts>
  /** Digests of documents that were visited. */
  readonly visited: Set<string>
  /** Counts a blob once, however often it is named; returns whether it is new. */
  begin(digest: string): boolean
  readonly onBytes: (bytes: number) => void
  note(where: string, message: string): void
  report(): ValidationReport
}

/** Indexes may lie in indexes; deeper than this is an error. */
const maxDepth = 8

/**
 * Checks an image or an index and all that it names. Each blob is read once, as a stream. What is wrong becomes
 * a finding; throws only what the store throws when it cannot be asked, and `OCB-INTERRUPTED`.
 */
export async function validateImage(
  store: Fetcher,
  root: Descriptor,
  options: ValidateOptions = {},
): Promise<ValidationReport> {
  const run = createValidationRun(store, options)
  await visitDocument(run, root, 'root', 0)
  return run.report()
}

export function createValidationRun(store: Fetcher, options: ValidateOptions): ValidationRun {
  const findings = createFindings()
  const blobs = new Set<string>()
  const notes: { where: string; message: string }[] = []
  if (options.fast === true) notes.push({ where: 'layers', message: 'were looked for and not read' })
  let bytes = 0
  return {
    store,
    findings,
    signal: options.signal,
    fast: options.fast === true,
    layers: new Map(),
    visited: new Set(),
    begin(digest) {
      const isNew = !blobs.has(digest)
      blobs.add(digest)
      return isNew
    },
    onBytes(count) {
      bytes += count
      options.onProgress?.({ blobs: blobs.size, bytes })
    },
    note: (where, message) => void notes.push({ where, message }),
    report() {
      const list = findings.list()
      const valid = list.every(({ severity }) => severity !== 'error')
      return { valid, findings: list, notes, blobs: blobs.size, bytes }
    },
  }
}

/** `holder` is where the descriptor stands. */
export async function visitDocument(
  run: ValidationRun,
  descriptor: Descriptor,
  holder: string,
  depth: number,
): Promise<void> {
  throwIfAborted(run.signal)
  const { findings } = run
  const { mediaType, digest } = descriptor
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) {
    // Readers must take unknown types in an index (image-spec v1.1.1 image-index.md, manifests).
    const code = depth === 0 ? 'OCB-VALIDATE-ROOT-TYPE' : 'OCB-VALIDATE-MEDIA-TYPE-UNKNOWN'
    findings.add(code, holder, `names a ${mediaType}; wanted a manifest or an index`)
    if (run.begin(digest)) await checkBlob(run.store, descriptor, holder, findings, run)
    return
  }
  const where = `${isIndexType(mediaType) ? 'index' : 'manifest'} ${digest}`
  const place = depth === 0 ? where : holder
  if (depth > maxDepth) {
    findings.add('OCB-VALIDATE-DEPTH', holder, `indexes lie in indexes more than ${maxDepth} deep`)
    return
  }
  const key = `${digest} ${mediaType} ${descriptor.platform ? formatPlatform(descriptor.platform) : ''}`
  if (run.visited.has(key)) return
  run.visited.add(key)
  run.begin(digest)
  const bytes = await readDocumentBytes(run.store, descriptor, place, findings, run)
  const document = bytes && parseDocument(bytes, where, findings)
  if (document === undefined) return
  checkEnvelope(document, mediaType, where, findings)
  if (isManifestType(mediaType)) await checkManifest(run, document, descriptor, where)
  else await checkIndex(run, document, where, depth)
}

async function checkIndex(
  run: ValidationRun,
  document: Readonly<Record<string, unknown>>,
  where: string,
  depth: number,
): Promise<void> {
  const manifests = checkDescriptorList(document, 'manifests', where, run.findings) ?? []
  const platforms = new Map<string, number>()
  for (const [i, descriptor] of manifests.entries()) {
    if (descriptor === undefined) continue
    const { platform, annotations } = descriptor
    // BuildKit's attestations are all for the platform unknown/unknown.
    if (platform && platform.os !== 'unknown') {
      const words = [
        formatPlatform(platform),
        platform['os.version'] ?? '',
        ...(platform['os.features'] ?? []),
        // The same image with layers as zstd, for readers that look for this annotation.
        annotations?.[zstdAnnotation] === 'true' ? 'zstd' : '',
      ]
      const first = platforms.get(words.join(' '))
      if (first === undefined) platforms.set(words.join(' '), i)
      else {
        const message = `is for ${formatPlatform(platform)}, as manifests[${first}] is, which readers take`
        run.findings.add('OCB-VALIDATE-PLATFORM-DUPLICATE', `${where} manifests[${i}]`, message)
      }
    }
    await visitDocument(run, descriptor, `${where} manifests[${i}]`, depth + 1)
  }
}
