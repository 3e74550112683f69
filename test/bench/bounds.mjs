/** What issue 5 asks for, beside what was measured. */

import { median } from './measure.mjs'

const megabyte = 1e6
/** Ten times as much may take this many times as long for each byte or file, and still be linear. */
const linear = 1.25

/**
 * @param {object} run
 * @param {readonly import('./measure.mjs').Measured[]} run.measured
 * @param {Map<string, import('./cases-registry.mjs').Traffic>} run.traffic
 * @param {number | undefined} run.bytesOfPigz Our layers' bytes for each of pigz's.
 * @param {number | undefined} run.storedShare
 * @returns {{ name: string, bound: string, measured: string | undefined, met: boolean | undefined }[]}
 */
export function bounds({ measured, traffic, bytesOfPigz, storedShare }) {
  const byId = new Map(measured.map((result) => [result.id, result]))
  const ratio = (id, other) => {
    const [a, b] = [byId.get(id), byId.get(other)]
    return a && b ? median(a.seconds) / median(b.seconds) : undefined
  }
  const ofTime = (name, [id, other, what], most) =>
    row(name, `at most ${most} of ${what}`, ratio(id, other), { most, show: (value) => value.toFixed(3) })
  const perUnit = (id, tenth) => {
    const value = ratio(id, tenth)
    return value === undefined ? undefined : value / 10
  }
  const memory = (name, ids, most) => {
    const found = measured.filter(({ id, peakBytes }) => ids.includes(id) && peakBytes > 0)
    const highest = found.toSorted((a, b) => b.peakBytes - a.peakBytes)[0]
    return row(name, `at most ${most} MB resident`, highest, {
      most: most * megabyte,
      value: ({ peakBytes }) => peakBytes,
      show: ({ id, peakBytes }) => `${(peakBytes / megabyte).toFixed(0)} MB (${id})`,
    })
  }
  const [clean, repush] = [traffic.get('clean'), traffic.get('repush')]
  const cold = 'cold, default gzip'
  return [
    ofTime(cold, ['cold', 'pigz', 'tar, pigz -p2 -6, sha256sum'], 0.5),
    row(cold, 'at most 1.03 of the bytes of pigz -6', bytesOfPigz, {
      most: 1.03,
      show: (value) => value.toFixed(4),
    }),
    ofTime(cold, ['cold', 'containerify', 'containerify'], 0.2),
    ofTime(cold, ['cold', 'umoci', 'umoci insert'], 0.5),
    ofTime('cold, zstd 3', ['zstd', 'tar-zstd', 'tar, zstd -3 -T2, sha256sum'], 1.3),
    ofTime('nothing changed', ['unchanged', 'cold', 'cold'], 0.08),
    ofTime('one source file changed', ['source', 'cold', 'cold'], 0.09),
    ofTime('one file of one dependency changed', ['dependency', 'cold', 'cold'], 0.4),
    ofTime('clean machine, image in the registry', ['clean', 'cold', 'cold'], 0.3),
    row('clean machine, image in the registry', 'no blob uploaded, no layer downloaded', clean, {
      most: 0,
      value: ({ uploads, layerDownloads }) => uploads + layerDownloads,
      show: ({ uploads, layerDownloads, requests }) =>
        `${uploads} and ${layerDownloads}, in ${requests} requests`,
    }),
    row('re-push, one source file changed', 'under 1 MB sent', repush, {
      most: megabyte - 1,
      value: ({ sentBytes }) => sentBytes,
      show: ({ sentBytes }) => `${(sentBytes / 1e3).toFixed(1)} kB`,
    }),
    row('re-push, one source file changed', 'at most 12 requests', repush, {
      most: 12,
      value: ({ requests }) => requests,
      show: ({ requests }) => String(requests),
    }),
    row('bytes that do not shrink', 'stored: at most 1.001 of them', storedShare, {
      most: 1.001,
      show: (value) => value.toFixed(5),
    }),
    row(
      '100,000 files of 4 KiB',
      `linear: a file at most ${linear} of one of 10,000`,
      perUnit('files-100k', 'files-10k'),
      { most: linear, show: (value) => value.toFixed(2) },
    ),
    row(
      'one file of 10 GiB',
      `linear: a byte at most ${linear} of one of 1 GiB`,
      perUnit('file-10g', 'file-1g'),
      { most: linear, show: (value) => value.toFixed(2) },
    ),
    memory('100,000 files of 4 KiB', ['files-100k'], 250),
    memory('one file of 10 GiB', ['file-10g'], 250),
    memory('peak memory of all others', oursToBound, 220),
  ]
}

const oursToBound = 'cold unchanged source dependency gzip1 zstd clean repush copy'.split(' ')

/** Ours and theirs that do the same work. */
const pairs = [
  ['cold', 'pigz'],
  ['cold', 'crane'],
  ['cold', 'umoci'],
  ['cold', 'containerify'],
  ['zstd', 'tar-zstd'],
  ['copy', 'skopeo'],
]

/** Lines about the peers that were faster than we. */
export function lostCases(measured) {
  const byId = new Map(measured.map((result) => [result.id, result]))
  return pairs.flatMap(([ours, theirs]) => {
    const [a, b] = [byId.get(ours), byId.get(theirs)]
    const ratio = a && b ? median(a.seconds) / median(b.seconds) : 0
    return ratio > 1 ? [`${a.name}: ${ratio.toFixed(2)} of ${b.name}`] : []
  })
}

function row(name, bound, seen, { most, value = (found) => found, show }) {
  if (seen === undefined) return { name, bound, measured: undefined, met: undefined }
  return { name, bound, measured: show(seen), met: value(seen) <= most }
}
