/** The task of a thread that reads files and hashes them; a part of `thread-code.ts`. */

export const hashFilesCode: string = `
const { createHash, hash } = require('node:crypto')
const { closeSync, fstatSync, openSync, readSync } = require('node:fs')
let scratch
const fill = (file, length, position) => {
  let filled = 0
  while (filled < length) {
    const count = readSync(file, scratch, filled, length - filled, position + filled)
    if (count === 0) return false
    filled += count
  }
  return true
}
const sumOf = (file, start, length) => {
  if (length <= scratch.length) {
    return fill(file, length, start) ? hash('sha256', scratch.subarray(0, length), 'hex') : undefined
  }
  const pieces = createHash('sha256')
  for (let done = 0; done < length; ) {
    const piece = Math.min(scratch.length, length - done)
    if (!fill(file, piece, start + done)) return undefined
    pieces.update(scratch.subarray(0, piece))
    done += piece
  }
  return pieces.digest('hex')
}
const hashFile = ({ path, start, length }) => {
  let file
  try {
    file = openSync(path, 'r')
    const sha256 = sumOf(file, start, length)
    const { size, mtimeMs, ino } = fstatSync(file)
    return sha256 && { sha256, size, mtimeMs, ino }
  } catch {
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}
const hashFiles = ({ files }) => {
  scratch ??= Buffer.allocUnsafeSlow(256 * 1024)
  parentPort.postMessage(files.map(hashFile))
}
`
