/** What a wrong spec is told. */

import { describe, expect, it } from 'vitest'
import { errorOf, folderWith, problemsOf, resolveFolder, resolveValue } from './helpers.ts'

const copy = { copy: 'dist', to: '/app' }
const inEntry = (entry: unknown): unknown => ({ layers: [{ entries: [entry] }] })

describe('problems of a spec', () => {
  it.each<[string, unknown, string]>([
    ['a misspelt key', { nmae: 'x' }, 'nmae: unknown key "nmae"; did you mean "name"?'],
    [
      'a misspelt field of an entry',
      inEntry({ ...copy, exclud: [] }),
      'layers[0].entries[0].exclud: unknown key "exclud"; did you mean "exclude"?',
    ],
    [
      'a field of another verb',
      inEntry({ remove: '/a', mode: '0644' }),
      'layers[0].entries[0].mode: unknown key "mode"; wanted one of remove or platforms',
    ],
    [
      'two verbs',
      inEntry({ copy: 'a', file: '/b', to: '/c', content: '' }),
      'layers[0].entries[0]: found "copy" and "file" in one entry; wanted one of them: write an entry for each',
    ],
    [
      'a misspelt verb',
      inEntry({ symlnk: '/a', target: 'b' }),
      'layers[0].entries[0]: found an object with the keys symlnk and target, wanted an entry with append, copy, file, directory, symlink, hardlink, remove, opaque, archive or download; did you mean "symlink" for "symlnk"?',
    ],
    [
      'a missing field',
      inEntry({ copy: 'a' }),
      'layers[0].entries[0]: "to" is missing; wanted an absolute image path like "/app"',
    ],
    [
      'a relative image path',
      inEntry({ ...copy, to: 'app/x' }),
      'layers[0].entries[0].to: found "app/x", wanted an absolute image path: write "/app/x"',
    ],
    [
      'an image path that climbs',
      inEntry({ ...copy, to: '/app/../x' }),
      'layers[0].entries[0].to: found "/app/../x", wanted an absolute image path without "..", like "/app"',
    ],
    [
      'a relative target of a hard link',
      inEntry({ hardlink: '/a', target: 'b' }),
      'layers[0].entries[0].target: found "b", wanted an absolute image path: write "/b"',
    ],
    [
      'an octal number as mode',
      inEntry({ ...copy, mode: 0o644 }),
      'layers[0].entries[0].mode: found the number 420, wanted a mode as a string of octal digits, like "0644", or "preserve": write mode: "0644"',
    ],
    [
      'octal digits as a number',
      inEntry({ directory: '/d', mode: 755 }),
      'layers[0].entries[0].mode: found the number 755, wanted a mode as a string of octal digits, like "0644": write mode: "0755"',
    ],
    [
      'a mode that is not octal',
      inEntry({ ...copy, mode: '0688' }),
      'layers[0].entries[0].mode: found "0688", wanted a mode as a string of octal digits, like "0644", or "preserve"',
    ],
    [
      'both content and copy',
      inEntry({ append: '/a', content: 'b', copy: 'c' }),
      'layers[0].entries[0]: found both "content" and "copy", wanted one of them',
    ],
    [
      'neither content nor copy',
      inEntry({ append: '/a' }),
      'layers[0].entries[0]: found neither "content" nor "copy", wanted one of them',
    ],
    [
      'bytes that are not base64',
      inEntry({ file: '/a', content: '!', encoding: 'base64' }),
      'layers[0].entries[0].content: found what is not base64, wanted base64 as "encoding" says',
    ],
    [
      'a short checksum',
      inEntry({ download: 'https://a.b/c', sha256: 'abc', to: '/d' }),
      'layers[0].entries[0].sha256: found "abc", wanted a sha256 of 64 hex digits',
    ],
    [
      'a URL that is none',
      inEntry({ download: 'ftp://a.b/c', sha256: 'a'.repeat(64), to: '/d' }),
      'layers[0].entries[0].download: found "ftp://a.b/c", wanted an http or https URL',
    ],
    [
      'strip without extract',
      inEntry({ download: 'https://a.b/c', sha256: 'a'.repeat(64), to: '/d', strip: 1 }),
      'layers[0].entries[0].strip: found "strip" without "extract: true"',
    ],
    [
      'an empty list of paths',
      inEntry({ copy: [false], to: '/d' }),
      'layers[0].entries[0].copy: found an empty list, wanted at least one path',
    ],
    [
      'entries that are no list',
      { layers: [{ entries: copy }] },
      'layers[0].entries: found an object with the keys copy and to, wanted a list',
    ],
    [
      'layers that are no list',
      { layers: copy },
      'layers: found an object with the keys copy and to, wanted a list or a function',
    ],
    [
      'a number as output',
      { outputs: [3] },
      'outputs[0]: found the number 3, wanted an output like "oci:dist/image" or "registry": write "3"',
    ],
    ['a number as tag', { tags: [1.4] }, 'tags[0]: found the number 1.4, wanted a tag: write "1.4"'],
    [
      'a tag twice',
      { tags: ['a', false, 'a'] },
      'tags[2]: found the tag "a" a second time; it stands at [0] too',
    ],
    [
      'a tag out of grammar',
      { tags: ['feature/x'] },
      'tags[0]: found "feature/x", wanted a tag: up to 128 letters, digits, "_", "." and "-", not beginning with "." or "-"',
    ],
    [
      'a name with a tag',
      { name: 'a.b/c:1' },
      'name: found "a.b/c:1", wanted a repository without tag: write "a.b/c" and put "1" in tags',
    ],
    [
      'a name with capitals',
      { name: 'Team/App' },
      'name: found "Team/App", wanted a repository in lower case, without tag and digest: "team/app"',
    ],
    [
      'a Windows target',
      { platforms: ['windows/amd64'] },
      'platforms[0]: found "windows/amd64"; windows images cannot be built yet',
    ],
    [
      'a platform that is none',
      { platforms: ['amd64'] },
      'platforms[0]: "amd64" is not a platform; wanted os/architecture[/variant]; write it like linux/amd64 or linux/arm/v7',
    ],
    [
      'a level of gzip',
      { compression: 'gzip:12' },
      'compression: found "gzip:12", wanted gzip (levels 1 to 9), zstd (1 to 19) or none; write it like gzip, gzip:9, zstd:3 or none',
    ],
    [
      'a level of gzip in an object',
      { compression: { type: 'gzip', level: 12 } },
      'compression.level: found the number 12, wanted 1 to 9 for gzip',
    ],
    [
      'two compressions of which one is none',
      { compression: ['gzip', 'none'] },
      'compression: found gzip and none, wanted gzip and zstd, or one compression',
    ],
    [
      'one compression twice',
      { compression: ['gzip', { type: 'gzip', level: 9 }] },
      'compression: found gzip and gzip, wanted gzip and zstd, or one compression',
    ],
    [
      'a level in a list',
      { compression: ['gzip', 'zstd:40'] },
      'compression[1]: found "zstd:40", wanted gzip (levels 1 to 9), zstd (1 to 19) or none; write it like gzip, gzip:9, zstd:3 or none',
    ],
    [
      'two compressions of a layer',
      { layers: [{ entries: [{ file: '/a', content: 'a' }], compression: ['gzip', 'zstd'] }] },
      'layers[0].compression: found a list, wanted a compression like "gzip", "gzip:9", "zstd" or "none" or an object',
    ],
    [
      'a level of nothing',
      { compression: { type: 'none', level: 1 } },
      'compression.level: found a level, wanted none for the type "none"',
    ],
    ['a word of few', { metadata: 'all' }, 'metadata: found "all", wanted "auto", "package" or "none"'],
    [
      'another format version',
      { formatVersion: 2 },
      'formatVersion: found the number 2, wanted the number 1',
    ],
    [
      'a time that is none',
      { created: 'yesterday' },
      'created: found "yesterday", wanted "git", "epoch", an RFC 3339 time like "2024-01-31T12:00:00Z", or whole seconds since 1970',
    ],
    [
      'a command as a string',
      { config: { cmd: 'node server.js' } },
      'config.cmd: found "node server.js", wanted a list: write ["node", "server.js"]',
    ],
    [
      'a number in env',
      { config: { env: { PORT: 3000 } } },
      'config.env.PORT: found the number 3000, wanted a string or an object: write PORT: "3000"',
    ],
    [
      'a variable name with =',
      { config: { env: { 'A=B': '1' } } },
      'config.env["A=B"]: found the variable name "A=B", wanted a name that is not empty, without "="',
    ],
    [
      'a port out of range',
      { config: { exposedPorts: [70_000] } },
      'config.exposedPorts[0]: found the number 70000, wanted a port from 1 to 65535, like 3000, "3000/tcp" or "53/udp"',
    ],
    [
      'a port out of grammar',
      { config: { exposedPorts: ['53/icmp'] } },
      'config.exposedPorts[0]: found "53/icmp", wanted a port from 1 to 65535, like 3000, "3000/tcp" or "53/udp"',
    ],
    [
      'a duration without unit',
      { config: { healthcheck: { test: ['NONE'], interval: '30' } } },
      'config.healthcheck.interval: found "30", wanted a duration like "30s", "1m30s" or "500ms"',
    ],
    [
      'a duration as a number',
      { config: { healthcheck: { test: ['NONE'], interval: 30 } } },
      'config.healthcheck.interval: found the number 30, wanted a duration like "30s", "1m30s" or "500ms": write interval: "30s"',
    ],
    [
      'a root beside from',
      { layers: [{ copy: '/a', from: 'oci:x', root: 'b', to: '/a' }] },
      'layers[0].root: found "root" beside "from", where paths begin at the root of that image: leave it out',
    ],
    [
      'a mode beyond 7777',
      { layers: [{ file: '/a', content: '', mode: '77777' }] },
      'layers[0].mode: found "77777", wanted a mode as a string of octal digits, like "0644"',
    ],
    [
      'a test without its kind',
      { config: { healthcheck: { test: ['curl', 'x'] } } },
      'config.healthcheck.test: found ["curl","x"], wanted ["CMD", program, arguments…], ["CMD-SHELL", command] or ["NONE"]',
    ],
    [
      'a relative working directory',
      { config: { workingDir: 'app' } },
      'config.workingDir: found "app", wanted an absolute image path like "/app"',
    ],
    ['a spec that is no object', 'nope', ': found "nope", wanted an object'],
    [
      'a key with dots',
      { annotations: { 'a.b/c': 1 } },
      'annotations["a.b/c"]: found the number 1, wanted a string: write "1"',
    ],
    [
      'an output that is a bare word',
      { outputs: ['dist'] },
      'outputs[0]: cannot read the reference "dist": an output in a registry needs the host of the registry; write oci:dist for a folder, oci-archive:dist.tar for a file, or HOST/dist for a registry',
    ],
  ])('%s', async (_title, spec, problem) => {
    expect(await problemsOf(resolveValue(spec))).toEqual([problem])
  })

  it('come all at once, with their count', async () => {
    const error = await errorOf(
      resolveValue({ nmae: 'x', tags: 'a', layers: [{ entries: [{ copy: 'x' }] }] }),
    )
    expect(error.code).toBe('OCB-SPEC-INVALID')
    expect(error.message).toBe('the spec has 3 problems')
    expect(error.problems.map((problem) => problem.path)).toEqual(['nmae', 'tags', 'layers[0].entries[0]'])
  })

  it('keep the places of members when others are dropped', async () => {
    const spec = { layers: [false, { entries: [null, '', { copy: 1, to: '/' }] }] }
    expect(await problemsOf(resolveValue(spec))).toEqual([
      'layers[1].entries[2].copy: found the number 1, wanted a path or a list: write copy: "1"',
    ])
  })

  it('have line and column in YAML, in the order of the file, and quote numbers as they were written', async () => {
    const folder = folderWith({
      'oci.config.yaml': [
        'nmae: app',
        'layers:',
        '  - entries:',
        '      - copy: dist',
        '        to: /app',
        '        mode: 0755',
        'tags: [1.10, 0x10]',
      ].join('\n'),
    })
    const error = await errorOf(resolveFolder(folder))
    expect(error.message).toBe('oci.config.yaml has 4 problems')
    expect(error.problems.map(({ line, column, message }) => `${line}:${column} ${message}`)).toEqual([
      '1:1 unknown key "nmae"; did you mean "name"?',
      '6:15 found the number 755, wanted a mode as a string of octal digits, like "0644", or "preserve": write mode: "0755"',
      '7:8 found the number 1.1, wanted a tag: write "1.10"',
      '7:14 found the number 16, wanted a tag: write "0x10"',
    ])
    expect(error.problems[0]?.file).toBe(`${folder}/oci.config.yaml`)
  })

  it('have line and column in JSON, also when it is indented with tabs', async () => {
    const folder = folderWith({ 'oci.config.json': '{\n\t"config": {\n\t\t"cmd": "x"\n\t}\n}' })
    const { problems } = await errorOf(resolveFolder(folder))
    expect(problems).toEqual([
      {
        path: 'config.cmd',
        message: 'found "x", wanted a list: write ["x"]',
        file: `${folder}/oci.config.json`,
        line: 3,
        column: 10,
      },
    ])
  })

  it('point at an anchor for what a merge key brought in', async () => {
    const text = 'x-base: &base\n  user: [1]\nconfig:\n  <<: *base\n  cmd: [a]\n'
    const { problems } = await errorOf(resolveFolder(folderWith({ 'oci.config.yml': text })))
    expect(problems).toMatchObject([{ path: 'config.user', line: 2, column: 9 }])
  })
})

describe('words of a later release', () => {
  it.each<[string, unknown, string]>([
    ['budgets', { budgets: {} }, 'budgets: "budgets" comes in a later release of ocibuild'],
    [
      'xattrs',
      inEntry({ ...copy, xattrs: {} }),
      'layers[0].entries[0].xattrs: "xattrs" comes in a later release of ocibuild',
    ],
    [
      'a base of the same spec',
      { base: 'image:base' },
      'base: "image:base": another image of the same spec as a base comes in a later release of ocibuild; build that image into a layout first and use oci:DIR',
    ],
  ])('are told apart from mistakes: %s', async (_title, spec, problem) => {
    const error = await errorOf(resolveValue(spec))
    expect(error.code).toBe('OCB-SPEC-UNSUPPORTED')
    expect(error.problems.map(({ path, message }) => `${path}: ${message}`)).toEqual([problem])
  })

  it('are checked for their shape all the same', async () => {
    const error = await errorOf(resolveValue({ node: { entri: 'x' } }))
    expect(error.code).toBe('OCB-SPEC-INVALID')
    expect(error.problems[0]?.message).toBe('unknown key "entri"; did you mean "entry"?')
  })
})
