/** What `copy` takes and where it lands. */

import { describe, expect, it } from 'vitest'
import type { EntryOf } from '../../src/config/resolved-spec.ts'
import { copyLines, makeFolder, type Made } from './plan-helpers.ts'

const tree: Readonly<Record<string, Made>> = {
  'package.json': '{}',
  'dist/server.js': 'js',
  'dist/server.js.map': 'map',
  'dist/lib/a.js': 'a',
  'dist/lib/b.css': 'b',
  'dist/empty': null,
  'dist/.hidden': 'dot',
  'dist/link': { link: 'server.js' },
  'app/[slug]/page.js': 'page',
  'app/s/page.js': 'other',
  'app/-x.js': 'x',
}

interface Case {
  readonly title: string
  readonly copy: string | readonly string[]
  readonly to: string
  readonly rest?: Partial<EntryOf<'copy'>>
  readonly lands: readonly string[]
}

const wholeDist = [
  '/',
  '/.hidden',
  '/empty/',
  '/lib/',
  '/lib/a.js',
  '/lib/b.css',
  '/link -> server.js',
  '/server.js',
  '/server.js.map',
]

const cases: readonly Case[] = [
  { title: 'a file lands at to', copy: 'package.json', to: '/app/p.json', lands: ['/app/p.json'] },
  {
    title: 'a file lands in to when that ends in /',
    copy: 'package.json',
    to: '/app/',
    lands: ['/app/package.json'],
  },
  { title: 'a file lands in the root', copy: 'package.json', to: '/', lands: ['/package.json'] },
  {
    title: "a folder's contents land in to, dot files and empty folders with them",
    copy: 'dist',
    to: '/app',
    lands: wholeDist.map((path) => `/app${path}`),
  },
  {
    title: 'a trailing slash changes nothing for a folder',
    copy: 'dist/',
    to: '/app/',
    lands: wholeDist.map((path) => `/app${path}`),
  },
  {
    title: 'a folder copied onto the root leaves the root itself alone',
    copy: './dist/lib',
    to: '/',
    lands: ['/a.js', '/b.css'],
  },
  {
    title: 'in a list each keeps its path below root',
    copy: ['package.json', 'dist/lib'],
    to: '/app',
    lands: ['/app/package.json', '/app/dist/lib/', '/app/dist/lib/a.js', '/app/dist/lib/b.css'],
  },
  {
    title: 'a list of one is a list',
    copy: ['dist/server.js'],
    to: '/app',
    lands: ['/app/dist/server.js'],
  },
  {
    title: 'a glob keeps paths below its fixed part, and a matched folder is its tree',
    copy: 'dist/l*',
    to: '/app',
    lands: ['/app/lib/', '/app/lib/a.js', '/app/lib/b.css', '/app/link -> server.js'],
  },
  {
    title: 'a glob for files takes no folders on the way',
    copy: 'dist/**/*.js',
    to: '/app',
    lands: ['/app/lib/a.js', '/app/server.js'],
  },
  {
    title: 'a star matches dot files',
    copy: 'dist/*',
    to: '/app',
    lands: wholeDist.slice(1).map((path) => `/app${path}`),
  },
  {
    title: 'two stars match the tree once',
    copy: 'dist/**',
    to: '/app/',
    lands: wholeDist.slice(1).map((path) => `/app${path}`),
  },
  {
    title: 'braces',
    copy: 'dist/{server.js,link,lib}',
    to: '/x',
    lands: ['/x/lib/', '/x/lib/a.js', '/x/lib/b.css', '/x/link -> server.js', '/x/server.js'],
  },
  {
    title: 'a trailing slash matches folders only',
    copy: 'dist/l*/',
    to: '/x',
    lands: ['/x/lib/', '/x/lib/a.js', '/x/lib/b.css'],
  },
  { title: 'a class', copy: 'dist/lib/[ab].js', to: '/x', lands: ['/x/a.js'] },
  { title: 'a question mark', copy: 'dist/lib/?.css', to: '/x', lands: ['/x/b.css'] },
  {
    title: 'a path that exists is literal',
    copy: 'app/[slug]',
    to: '/x',
    lands: ['/x/', '/x/page.js'],
  },
  {
    title: 'names that exist belong to the fixed part of a glob',
    copy: 'app/[slug]/*.js',
    to: '/x',
    lands: ['/x/page.js'],
  },
  {
    title: 'exclude hides files below the folder',
    copy: 'dist',
    to: '/x',
    rest: { exclude: ['**/*.map', 'lib'] },
    lands: ['/x/', '/x/.hidden', '/x/empty/', '/x/link -> server.js', '/x/server.js'],
  },
  {
    title: 'exclude may take back with !',
    copy: 'dist',
    to: '/x',
    rest: { exclude: ['**', '!lib/a.js'] },
    lands: ['/x/', '/x/lib/', '/x/lib/a.js'],
  },
  {
    title: 'include takes what matches and the folders on the way',
    copy: 'dist',
    to: '/x',
    rest: { include: ['**/*.css'] },
    lands: ['/x/', '/x/lib/', '/x/lib/b.css'],
  },
  {
    title: 'an included folder is its tree',
    copy: 'dist',
    to: '/x',
    rest: { include: ['lib', 'empty'] },
    lands: ['/x/', '/x/empty/', '/x/lib/', '/x/lib/a.js', '/x/lib/b.css'],
  },
  {
    title: 'include and exclude of a glob are relative to its fixed part',
    copy: 'dist/**',
    to: '/x',
    rest: { include: ['lib/**'], exclude: ['lib/b.css'] },
    lands: ['/x/lib/', '/x/lib/a.js'],
  },
  {
    title: 'a link named outright stays a link',
    copy: 'dist/link',
    to: '/x/l',
    lands: ['/x/l -> server.js'],
  },
  {
    title: 'follow copies what a link points at',
    copy: 'dist/link',
    to: '/x/l',
    rest: { follow: true },
    lands: ['/x/l'],
  },
  {
    title: 'follow in a glob',
    copy: 'dist/l*',
    to: '/x',
    rest: { follow: true },
    lands: ['/x/lib/', '/x/lib/a.js', '/x/lib/b.css', '/x/link'],
  },
]

describe('copy', () => {
  it.each(cases)('$title', async ({ copy, to, rest, lands }) => {
    expect(await copyLines(makeFolder(tree), copy, to, rest)).toEqual(lands)
  })
})
