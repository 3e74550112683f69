/** The tasks of a thread that reads files, into a block or to hash them; a part of `thread-code.ts`. The memory is a `FileRun`'s. */

export const readFilesCode: string = `
const { createHash, hash } = require('node:crypto')
const { closeSync, fstatSync, openSync, readSync } = require('node:fs')
let scratch
const fill = (file, into, at, length, position) => {
  let filled = 0
  while (filled < length) {
    const count = readSync(file, into, at + filled, length - filled, position + filled)
    if (count === 0) return false
    filled += count
  }
  return true
}
const sumOf = (file, start, length, goesOn) => {
  if (length <= scratch.length) {
    return fill(file, scratch, 0, length, start) ? hash('sha256', scratch.subarray(0, length), 'buffer') : undefined
  }
  const pieces = createHash('sha256')
  for (let done = 0; done < length; ) {
    const piece = Math.min(scratch.length, length - done)
    if (!goesOn() || !fill(file, scratch, 0, piece, start + done)) return undefined
    pieces.update(scratch.subarray(0, piece))
    done += piece
  }
  return pieces.digest()
}
const hashFiles = ({ paths, memory, stats }) => {
  scratch ??= Buffer.allocUnsafeSlow(256 * 1024)
  const files = paths.split('\\0')
  const count = files.length
  const head = new Int32Array(memory, 0, 2)
  const numbers = new Float64Array(memory, 8, count * 5)
  const digests = new Uint8Array(memory, 8 + count * 40, count * 32)
  const isSeen = new Uint8Array(memory, 8 + count * 72, count)
  const goesOn = () => Atomics.load(head, 1) === 0
  const next = () => {
    const index = Atomics.load(head, 1) === 0 ? Atomics.add(head, 0, 1) : count
    if (index >= count) return
    const at = index * 5
    let file
    try {
      file = openSync(files[index], 'r')
      const digest = sumOf(file, numbers[at], numbers[at + 1], goesOn)
      if (digest === undefined) return
      if (stats) {
        const { size, mtimeMs, ino } = fstatSync(file)
        numbers[at + 2] = size
        numbers[at + 3] = mtimeMs
        numbers[at + 4] = ino
      }
      digests.set(digest, index * 32)
      isSeen[index] = 1
    } catch {
      // Whoever reads it again finds out what is wrong with it.
    } finally {
      if (file !== undefined) closeSync(file)
    }
  }
  files.forEach(next)
  parentPort.postMessage(0)
}
const readFiles = (buffer, paths, ranges) => {
  const bytes = new Uint8Array(buffer)
  const stats = new Float64Array(ranges.length).fill(NaN)
  let index = 0
  for (const path of paths.split('\\0')) {
    let file
    try {
      file = openSync(path, 'r')
      if (fill(file, bytes, ranges[index], ranges[index + 2], ranges[index + 1])) {
        const { size, mtimeMs, ino } = fstatSync(file)
        stats[index] = size
        stats[index + 1] = mtimeMs
        stats[index + 2] = ino
      }
    } catch {
      // Whoever asked reads it again, and finds out why.
    } finally {
      if (file !== undefined) closeSync(file)
    }
    index += 3
  }
  return stats
}
`
