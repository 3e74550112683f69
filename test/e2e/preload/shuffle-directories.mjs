/** For `node --import`: gives the names of every directory in an order of chance, as another file system may. */

import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

let state = Number(process.env.SHUFFLE_SEED ?? 1) >>> 0 || 1
let shuffled = 0

function shuffle(names) {
  if (!Array.isArray(names) || names.length < 2) return names
  for (let last = names.length - 1; last > 0; last -= 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const other = Math.floor((state / 2 ** 32) * (last + 1))
    const name = names[last]
    names[last] = names[other]
    names[other] = name
  }
  shuffled += 1
  return names
}

const { readdirSync, readdir } = fs
const promised = fs.promises.readdir
fs.readdirSync = (...args) => shuffle(readdirSync(...args))
fs.readdir = (...args) => {
  const done = args.pop()
  readdir(...args, (error, names) => done(error, shuffle(names)))
}
fs.promises.readdir = async (...args) => shuffle(await promised(...args))

// Entries of an open directory are handed out one by one: all are read first.
const { readSync } = fs.Dir.prototype
const waiting = new WeakMap()
fs.Dir.prototype.readSync = function () {
  let entries = waiting.get(this)
  if (entries === undefined) {
    entries = []
    for (let entry = readSync.call(this); entry !== null; entry = readSync.call(this)) entries.push(entry)
    waiting.set(this, shuffle(entries))
  }
  return entries.pop() ?? null
}
fs.Dir.prototype.read = function (done) {
  const entry = this.readSync()
  if (done === undefined) return Promise.resolve(entry)
  process.nextTick(done, null, entry)
  return undefined
}
fs.Dir.prototype[Symbol.asyncIterator] = async function* () {
  try {
    for (let entry = this.readSync(); entry !== null; entry = this.readSync()) yield entry
  } finally {
    this.closeSync()
  }
}
syncBuiltinESMExports()

process.on('exit', () => {
  if (process.env.SHUFFLE_REPORT) fs.writeFileSync(process.env.SHUFFLE_REPORT, String(shuffled))
})
