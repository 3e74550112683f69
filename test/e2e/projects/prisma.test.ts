/** A real Prisma app: a client generated into node_modules, beside packages that no install of them makes alone. */

import { expect, it } from 'vitest'
import { dependenciesOf, differences, listTree, pick } from './list-tree.ts'
import type { ProjectRecipe } from './real-project.ts'
import { describeProject } from './run-project.ts'

const prisma: ProjectRecipe = {
  name: 'prisma',
  manager: 'npm',
  install: ['install', '--ignore-scripts'],
  production: { '': { install: ['ci', '--omit=dev', '--ignore-scripts'] } },
  files: {
    'package.json': {
      name: 'notes',
      private: true,
      type: 'module',
      scripts: { postinstall: 'prisma generate', start: 'node notes.js' },
      dependencies: { '@prisma/client': '6.16.2', '@prisma/adapter-libsql': '6.16.2' },
      devDependencies: { prisma: '6.16.2' },
    },
    // The client without engines: those are no packages, and fetched from elsewhere.
    'prisma/schema.prisma': `generator client {
  provider   = "prisma-client-js"
  engineType = "client"
}
datasource db {
  provider = "sqlite"
  url      = "file:./dev.db"
}
model Note {
  id   Int    @id @default(autoincrement())
  text String
}
`,
    'notes.js': `import { PrismaClient } from '@prisma/client'
import { PrismaLibSQL } from '@prisma/adapter-libsql'

const client = new PrismaClient({ adapter: new PrismaLibSQL({ url: 'file:/tmp/notes.db' }) })
await client.$executeRawUnsafe('create table Note (id integer primary key autoincrement, text text not null)')
await client.note.create({ data: { text: 'hello' } })
console.log(await client.note.findMany(), process.getuid())
`,
  },
  steps: [{ run: ['node_modules/prisma/build/index.js', 'generate'] }],
  env: {
    CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    // It is asked for, and not run to generate.
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
  },
}

describeProject('an app with Prisma', prisma, (built) => {
  it('reads and writes a database', async () => {
    const { stdout, stderr } = await built().image().run()
    expect(`${stdout}${stderr}`).toBe("[ { id: 1, text: 'hello' } ] 1000\n")
  })

  const isGenerated = (path: string): boolean => path.startsWith('node_modules/.prisma/')

  it('has the packages that npm installs for production, but for another libc', () => {
    const { project, image } = built()
    const keep = (path: string): boolean => !isGenerated(path)
    const own = dependenciesOf(image().files, keep)
    // These name their libc in their name alone, so that npm installs them for all.
    const isOther = (path: string): boolean => path.startsWith('node_modules/@libsql/linux-x64-musl/')
    const wanted = dependenciesOf(project.production[''] ?? {}, (path) => !isOther(path))
    expect(differences(own, wanted)).toEqual([])
    expect(built().decisions.join('\n')).toMatch(
      /^also: prisma, a peer of @prisma\/client \(devDependencies/m,
    )
  })

  it('has the client that was generated', () => {
    const { project, image } = built()
    const folder = 'node_modules/.prisma/'
    const found = Object.entries(pick(image().files, isGenerated))
    const generated = listTree(`${project.folder}/${folder}`)
    const shipped = Object.fromEntries(found.map(([path, value]) => [path.slice(folder.length), value]))
    expect(differences(shipped, generated)).toEqual([])
    expect(Object.keys(generated)).toContain('client/query_compiler_bg.wasm')
  })
})
