/** Ignore files by Docker's documented rules (Docker's build reference, ".dockerignore file"). */

import { describe, expect, it } from 'vitest'
import { parseIgnoreFile } from '../../src/plan/ignore-rules.ts'
import { lastMatch, matchesOf } from '../../src/plan/rules.ts'
import { failureOf } from './plan-helpers.ts'

/** Whether an ignore file hides a path, its folders looked at first as a walk would. */
function hides(text: string, path: string): boolean {
  const rules = parseIgnoreFile(text, '.ociignore')
  const slash = path.lastIndexOf('/')
  const last = lastMatch(rules, path, matchesOf(rules, slash === -1 ? '' : path.slice(0, slash)))
  return rules[last]?.negated === false
}

const cases: readonly (readonly [title: string, text: string, hidden: string, kept: string])[] = [
  ['a name is anchored at the root', 'temp', 'temp', 'somedir/temp'],
  ['a folder is its tree', 'temp', 'temp/a/b.txt', 'temporary'],
  ['*/temp* is one folder deep', '*/temp*', 'somedir/temporary.txt', 'temporary.txt'],
  ['*/temp* hides the tree of a folder', '*/temp*', 'somedir/temp/x', 'a/b/temp'],
  ['*/*/temp* is two folders deep', '*/*/temp*', 'a/b/temporary.txt', 'a/temporary.txt'],
  ['? is one character', 'temp?', 'tempa', 'tempab'],
  ['? is no slash', 'a?b', 'axb', 'a/b'],
  ['* is no slash', '*.md', 'README.md', 'docs/README.md'],
  ['* matches dot files', '*', '.env', ''],
  ['**/ is any depth, none included', '**/*.go', 'main.go', 'main.got'],
  ['**/ is any depth', '**/*.go', 'a/b/main.go', 'a/b/go'],
  ['** in the middle may be nothing', 'a/**/b', 'a/b', 'ab'],
  ['** in the middle is many', 'a/**/b', 'a/x/y/b', 'a/x/y/c'],
  ['/** is all below and not the folder', 'a/**', 'a/x', 'a'],
  ['/** is all below at any depth', 'a/**', 'a/x/y', 'b/a/x'],
  ['a leading slash means nothing', '/foo/bar', 'foo/bar', 'x/foo/bar'],
  ['a trailing slash means nothing', 'foo/', 'foo', 'food'],
  ['a leading ./ means nothing', './foo', 'foo', 'bar'],
  ['.. is folded', 'a/../foo', 'foo', 'a/foo'],
  ['a pattern above the root hides nothing', '../foo\nbar', 'bar', 'foo'],
  ['# begins a comment', '#foo\nbar', 'bar', '#foo'],
  ['a # after white space is none', ' #foo', '#foo', 'foo'],
  ['white space around is cut', '  foo  ', 'foo', ' foo'],
  ['empty lines are skipped', '\n\nfoo\r\n\n', 'foo', 'bar'],
  ['a byte order mark is skipped', '\ufefffoo', 'foo', '\ufefffoo'],
  ['. is ignored', '.\nfoo', 'foo', 'bar'],
  ['! takes back', '*.md\n!README.md', 'a.md', 'README.md'],
  [
    'the last that matches decides: hidden',
    '*.md\n!README*.md\nREADME-secret.md',
    'README-secret.md',
    'README.md',
  ],
  ['the last that matches decides: kept', '*.md\nREADME-secret.md\n!README*.md', 'a.md', 'README-secret.md'],
  ['! takes back below a hidden folder', 'docs\n!docs/keep.md', 'docs/a.md', 'docs/keep.md'],
  ['! takes back a tree', '*\n!src', 'dist/a.js', 'src/deep/a.js'],
  ['white space after ! is cut', '*\n! src', 'a', 'src'],
  ['a class', '[ab].txt', 'a.txt', 'c.txt'],
  ['a range', '[a-c].txt', 'b.txt', 'd.txt'],
  ['a negated class is no slash', 'a[^x]b', 'ayb', 'a/b'],
  ['a negated class', 'a[^x]b', 'a-b', 'axb'],
  ['an escape', 'a\\*b', 'a*b', 'axb'],
  ['braces are letters', '{a,b}', '{a,b}', 'a'],
  ['a dot is a letter', 'a.c', 'a.c', 'abc'],
  ['plus, dollar and parentheses are letters', 'a+$(b)', 'a+$(b)', 'aa'],
  ['case counts', 'Foo', 'Foo', 'foo'],
  ['non-ASCII names', 'ä?', 'äö', 'äöü'],
  ['a name outside of the first plane is one character', '?', '😀', '😀😀'],
]

describe('ignore files', () => {
  it.each(cases)('%s', (_, text, hidden, kept) => {
    expect(hides(text, hidden)).toBe(true)
    if (kept !== '') expect(hides(text, kept)).toBe(false)
  })

  it.each([
    ['!', 'takes back nothing'],
    ['a[b', '['],
    ['a\\', '\\'],
  ])('refuses %j, naming file and line', async (pattern, seen) => {
    const failure = await failureOf((async () => parseIgnoreFile(`ok\n${pattern}`, '.ociignore'))())
    expect(failure.code).toBe('OCB-COPY-IGNORE-FILE')
    expect(failure.message).toContain('.ociignore:2')
    expect(failure.message).toContain(seen)
  })
})
