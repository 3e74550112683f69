/** Checks an image layout in a folder, all its images or one of them (image-spec v1.1.1 image-layout.md). */

import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { refNameAnnotation } from '../content/image-names.ts'
import type { Fetcher, FileBacked } from '../content/store.ts'
import { verifyStream } from '../content/hash.ts'
import { contentNotFound } from '../content/not-found.ts'
import { throwIfAborted } from '../errors.ts'
import { blobPath, hasBlob, readFileChunks } from '../layout/blob-files.ts'
import type { Descriptor } from '../spec/descriptor.ts'
import { isDigest, type Digest } from '../spec/digest.ts'
import { mediaTypes } from '../spec/media-type.ts'
import { formatPlatform } from '../spec/platform.ts'
import { checkDescriptorList, checkEnvelope, parseDocument } from './validate-document.ts'
import { describeValue, type Findings } from './validate-finding.ts'
import {
  createValidationRun,
  visitDocument,
  type ValidateOptions,
  type ValidationReport,
  type ValidationRun,
} from './validate-image.ts'

export interface ValidateLayoutOptions extends ValidateOptions {
  /** Also reads blobs that no image names, to see that their names are their digests. Default: false. */
  readonly all?: boolean | undefined
}

// image-spec v1.1.1 annotations.md, org.opencontainers.image.ref.name.
const refNameGrammar =
  /^[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*(?:\/[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*)*$/

/**
 * Checks the layout's own files and every image that index.json names. What is wrong becomes a finding, also a
 * folder that is no layout at all; throws `OCB-INTERRUPTED` and what the disk says.
 */
export async function validateLayout(
  dir: string,
  options: ValidateLayoutOptions = {},
): Promise<ValidationReport> {
  const run = createValidationRun(folderStore(dir), options)
  checkLayoutFile(dir, run.findings)
  for (const [i, descriptor] of checkLayoutIndex(dir, run.findings).entries()) {
    if (descriptor) await visitDocument(run, descriptor, `index.json manifests[${i}]`, 1)
  }
  if (options.all === true) await checkOtherBlobs(dir, run)
  return run.report()
}

/** Reads blobs by name and asks nothing else of the folder, so that a broken layout can be looked at. */
function folderStore(dir: string): Fetcher & FileBacked {
  return {
    async fetch(target) {
      const path = blobPath(dir, target.digest)
      if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) throw contentNotFound(target, dir)
      return verifyStream(target, readFileChunks(path))
    },
    fileOf: async (target) =>
      hasBlob(dir, target) ? { path: blobPath(dir, target.digest), checked: false } : undefined,
  }
}

function checkLayoutFile(dir: string, findings: Findings): void {
  const bytes = readOwnFile(dir, 'oci-layout')
  if (bytes === undefined) {
    findings.add('OCB-VALIDATE-LAYOUT', 'oci-layout', `is not in ${dir}`)
    return
  }
  const document = parseDocument(bytes, 'oci-layout', findings)
  if (document === undefined || document['imageLayoutVersion'] === '1.0.0') return
  const message = `imageLayoutVersion is ${describeValue(document['imageLayoutVersion'])}; wanted "1.0.0"`
  findings.add('OCB-VALIDATE-LAYOUT', 'oci-layout', message)
}

function checkLayoutIndex(dir: string, findings: Findings): readonly (Descriptor | undefined)[] {
  const where = 'index.json'
  const bytes = readOwnFile(dir, where)
  if (bytes === undefined) {
    findings.add('OCB-VALIDATE-LAYOUT-INDEX', where, `is not in ${dir}`)
    return []
  }
  const document = parseDocument(bytes, where, findings)
  if (document === undefined) return []
  // Older writers leave its mediaType out, and nothing but the file's name says what it is.
  const envelope = { mediaType: mediaTypes.index, ...document }
  checkEnvelope(envelope, mediaTypes.index, where, findings)
  const descriptors = checkDescriptorList(document, 'manifests', where, findings) ?? []
  checkRefNames(document['manifests'], descriptors, findings)
  return descriptors
}

function checkRefNames(
  list: unknown,
  descriptors: readonly (Descriptor | undefined)[],
  findings: Findings,
): void {
  const seen = new Map<string, number>()
  const entries: readonly unknown[] = Array.isArray(list) ? list : []
  for (const [i, entry] of entries.entries()) {
    const name = refNameOf(entry)
    if (name === undefined) continue
    const where = `index.json manifests[${i}]`
    if (!refNameGrammar.test(name)) {
      const message = `ref name ${JSON.stringify(name)}; wanted letters and digits, with one of -._:@+ or / between them`
      findings.add('OCB-VALIDATE-REF-NAME', where, message)
    }
    // One name may stand for one manifest a platform.
    const platform = descriptors[i]?.platform
    const key = `${name} ${platform ? formatPlatform(platform) : ''}`
    const first = seen.get(key)
    if (first === undefined) seen.set(key, i)
    else {
      const message = `has the ref name "${name}", as manifests[${first}] has; readers take one or refuse both`
      findings.add('OCB-VALIDATE-REF-DUPLICATE', where, message)
    }
  }
}

function refNameOf(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null || !('annotations' in entry)) return undefined
  const { annotations } = entry
  if (typeof annotations !== 'object' || annotations === null) return undefined
  const name: unknown = Reflect.get(annotations, refNameAnnotation)
  return typeof name === 'string' ? name : undefined
}

/** Blobs that no image led to: their names must be their digests all the same. */
async function checkOtherBlobs(dir: string, run: ValidationRun): Promise<void> {
  for (const algorithm of ['sha256', 'sha512'] as const) {
    for (const name of listNames(join(dir, 'blobs', algorithm))) {
      throwIfAborted(run.signal)
      const where = `blobs/${algorithm}/${name}`
      const digest = `${algorithm}:${name}`
      if (!isDigest(digest)) {
        // Temporaries of writers are hidden files.
        if (!name.startsWith('.'))
          findingOf(run, where, `is not the name of a blob; wanted ${algorithm} in hex`)
      } else if (run.begin(digest)) await checkBlobName(dir, digest, where, run)
    }
  }
}

async function checkBlobName(dir: string, digest: Digest, where: string, run: ValidationRun): Promise<void> {
  const path = blobPath(dir, digest)
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isFile() !== true) return findingOf(run, where, 'is no file')
  const descriptor: Descriptor = { mediaType: 'application/octet-stream', digest, size: stat.size }
  try {
    for await (const chunk of verifyStream(descriptor, readFileChunks(path))) {
      throwIfAborted(run.signal)
      run.onBytes(chunk.length)
    }
  } catch (error) {
    throwIfAborted(run.signal)
    if (!(error instanceof Error && 'code' in error && error.code === 'OCB-CONTENT-MISMATCH')) throw error
    findingOf(run, where, `its name is not its digest: ${error.message}`)
  }
}

function findingOf(run: ValidationRun, where: string, message: string): void {
  run.findings.add('OCB-VALIDATE-BLOB-NAME', where, message)
}

function readOwnFile(dir: string, name: string): Uint8Array | undefined {
  const path = join(dir, name)
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(path) : undefined
}

function listNames(folder: string): readonly string[] {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(folder) : []
}
