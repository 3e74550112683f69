import { afterAll, describe, expect, it } from 'vitest'
import { chooseUser } from '../../../src/node/project/choose-user.ts'
import { detectProject } from '../../../src/node/project/detect-project.ts'
import { checkEngines, chooseNodeBase } from '../../../src/node/project/node-base.ts'
import { parseReference } from '../../../src/spec/parse-reference.ts'
import { errorOf, makeProject, removeProjects, type Files } from './project-kit.ts'

afterAll(removeProjects)

const engines = (node: string): object => ({ engines: { node } })

describe('the base', () => {
  it.each<[string, Files, string]>([
    ['an exact .nvmrc', { '.nvmrc': 'v22.11.0\n' }, 'node:22.11.0-slim'],
    ['a major in .node-version', { '.node-version': '# why\n22\n' }, 'node:22-slim'],
    ['a codename', { '.nvmrc': 'lts/Jod' }, 'node:jod-slim'],
    [
      'devEngines',
      { 'package.json': { devEngines: { runtime: { name: 'node', version: '24.1.0' } } } },
      'node:24.1.0-slim',
    ],
    ['the running major where nothing is said', { '.nvmrc': 'node' }, 'node:20-slim'],
    ['the running major where engines allow it', { 'package.json': engines('>=18') }, 'node:20-slim'],
    ['the lowest major of engines', { 'package.json': engines('^22.11 || >=24') }, 'node:22-slim'],
    ['no more of the lowest than they allow', { 'package.json': engines('22.11.x') }, 'node:22.11-slim'],
    ['the only one that they allow', { 'package.json': engines('18.20.4') }, 'node:18.20.4-slim'],
  ])('is %s', async (_title, files, reference) => {
    const project = await detectProject(makeProject({ 'package.json': {}, ...files }), undefined)
    expect((await chooseNodeBase(project, '20.20.2')).reference).toBe(reference)
  })

  it('must have a Node.js that engines allow', async () => {
    const project = await detectProject(makeProject({ 'package.json': engines('>=22') }), undefined)
    await checkEngines(project, 'x', async () => '22.1.0')
    await checkEngines(project, 'x', async () => undefined)
    const error = await errorOf(() => checkEngines(project, 'host:node', async () => '20.1.0'))
    expect(error.code).toBe('OCB-NODE-ENGINES')
    expect(error.message).toContain('the base host:node has Node.js 20.1.0')
    // Nobody reads a base for engines that are not set.
    const any = await detectProject(makeProject({ 'package.json': {} }), undefined)
    await checkEngines(any, 'x', () => Promise.reject(new Error('the base was read')))
    const none = await detectProject(makeProject({ 'package.json': engines('soon') }), undefined)
    expect(await errorOf(() => chooseNodeBase(none, '20.1.0'))).toMatchObject({ code: 'OCB-NODE-ENGINES' })
  })
})

describe('the user', () => {
  const lookup = async (name: string): Promise<{ uid: number; gid: number } | undefined> =>
    name === 'node' || name === 'app' ? { uid: 7, gid: 8 } : undefined
  const refuse = (): never => {
    throw new Error('the base was read')
  }

  it.each<[string, string | null | undefined, string | undefined, string, typeof lookup, object]>([
    ["the spec's", 'me', 'app', 'oci:x', refuse, { user: undefined, owner: 'me' }],
    ["the base's numbers", undefined, '5:6', 'oci:x', refuse, { user: undefined, owner: '5:6' }],
    ["the base's name as numbers", undefined, 'app', 'oci:x', lookup, { user: '7:8', owner: '7:8' }],
    ['node of a base that runs as root', undefined, 'root', 'oci:x', lookup, { user: '7:8' }],
    ['node of the official image, unread', undefined, undefined, 'node:22', refuse, { user: '1000:1000' }],
    ['node of the host', undefined, undefined, 'host:node', refuse, { user: '1000:1000' }],
    ['nobody in particular', undefined, '0:0', 'oci:x', async () => undefined, { user: '65532:65532' }],
  ])('is %s', async (_title, wanted, ofBase, base, look, found) => {
    const chosen = await chooseUser({ wanted, ofBase, base: parseReference(base, 'in'), lookup: look })
    expect(chosen).toMatchObject(found)
  })
})
