/** Reads a JSON document and checks what manifests and indexes have in common. */

import type { Fetcher } from '../content/store.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { isIndexType, type MediaType } from '../spec/media-type.ts'
import { maxDocumentBytes } from '../spec/read-value.ts'
import { checkAnnotations, checkDescriptor, checkMediaType } from './validate-descriptor.ts'
import { describeValue, isRecord, type Findings } from './validate-finding.ts'
import { addContentFinding } from './validate-layer.ts'

export interface DocumentOptions {
  readonly signal?: AbortSignal | undefined
  readonly onBytes: (bytes: number) => void
}

/** The bytes of a document; undefined, with a finding, when they are not there or not what they should be. */
export async function readDocumentBytes(
  store: Fetcher,
  descriptor: Descriptor,
  where: string,
  findings: Findings,
  { signal, onBytes }: DocumentOptions,
): Promise<Uint8Array | undefined> {
  if (descriptor.size > maxDocumentBytes) {
    const message = `${descriptor.size} bytes; a document may have ${maxDocumentBytes}, and was not read`
    findings.add('OCB-VALIDATE-TOO-LARGE', where, message)
    return undefined
  }
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of await store.fetch(descriptor, { signal })) {
      onBytes(chunk.length)
      chunks.push(chunk)
    }
  } catch (error) {
    if (!addContentFinding(error, where, findings)) throw error
    return undefined
  }
  return Buffer.concat(chunks)
}

/** A document as a JSON object; undefined, with a finding, when it is none. */
export function parseDocument(
  bytes: Uint8Array,
  where: string,
  findings: Findings,
): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
    )
    if (isRecord(value)) return value
    findings.add('OCB-VALIDATE-JSON', where, `is ${describeValue(value)}; wanted a JSON object`)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    findings.add('OCB-VALIDATE-JSON', where, `is no JSON in UTF-8: ${reason}`)
  }
  return undefined
}

/** schemaVersion, mediaType, annotations, subject, artifactType of a manifest or an index of the `wanted` type. */
export function checkEnvelope(
  document: Readonly<Record<string, unknown>>,
  wanted: MediaType,
  where: string,
  findings: Findings,
): void {
  const { schemaVersion, mediaType, artifactType, annotations, subject } = document
  if (schemaVersion !== 2) {
    const message = `schemaVersion is ${describeValue(schemaVersion)}; wanted 2`
    findings.add('OCB-VALIDATE-SCHEMA-VERSION', where, message)
  }
  if (mediaType === undefined) {
    findings.add('OCB-VALIDATE-MEDIA-TYPE-MISSING', where, 'has no mediaType; writers should set it')
  } else if (mediaType !== wanted) {
    const message = `mediaType is ${describeValue(mediaType)}; its descriptor says "${wanted}"`
    findings.add('OCB-VALIDATE-MEDIA-TYPE', where, message)
  }
  // One document that is a manifest to some readers and an index to others (CVE-2021-41190).
  const foreign = isIndexType(wanted) ? ['config', 'layers', 'fsLayers'] : ['manifests', 'fsLayers']
  for (const field of foreign) {
    if (document[field] === undefined) continue
    const message = `has a "${field}", which a document of type ${wanted} may not have`
    findings.add('OCB-VALIDATE-AMBIGUOUS', where, message)
  }
  checkAnnotations(annotations, where, findings)
  if (artifactType !== undefined) checkMediaType(artifactType, 'artifactType', where, findings)
  // What a subject names need not exist (image-spec v1.1.1 manifest.md, subject).
  if (subject !== undefined) checkDescriptor(subject, `${where} subject`, findings)
}

/** The descriptors of a list field, position by position; undefined with a finding when the field is no list. */
export function checkDescriptorList(
  document: Readonly<Record<string, unknown>>,
  field: 'layers' | 'manifests',
  where: string,
  findings: Findings,
): readonly (Descriptor | undefined)[] | undefined {
  const list: unknown = document[field]
  if (Array.isArray(list)) {
    return list.map((item: unknown, i) => checkDescriptor(item, `${where} ${field}[${i}]`, findings))
  }
  const code = field === 'layers' ? 'OCB-VALIDATE-MANIFEST' : 'OCB-VALIDATE-INDEX'
  findings.add(code, where, `${field} is ${describeValue(list)}; wanted a list of descriptors`)
  return undefined
}
