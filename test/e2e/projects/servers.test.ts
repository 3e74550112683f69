/** Real servers: a Next.js app that carries its dependencies, and a Nest app that is compiled beside them. */

import { expect, it } from 'vitest'
import { dependenciesOf, differences, listTree, pick, type TreeListing } from './list-tree.ts'
import type { ProjectRecipe } from './real-project.ts'
import { describeProject } from './run-project.ts'

const next: ProjectRecipe = {
  name: 'next',
  manager: 'npm',
  install: ['install', '--ignore-scripts'],
  files: {
    'package.json': {
      name: 'web',
      private: true,
      scripts: { dev: 'next dev', build: 'next build', start: 'next start' },
      dependencies: { next: '15.5.4', react: '19.1.1', 'react-dom': '19.1.1' },
    },
    'next.config.mjs': `export default { output: 'standalone' }\n`,
    'app/layout.jsx': `export default ({ children }) => <html><body>{children}</body></html>\n`,
    // Made anew each second: the server writes it to its prerender cache.
    'app/page.jsx': `export const revalidate = 1
export default () => <h1>hello from next</h1>
`,
    'app/api/info/route.js': `export const dynamic = 'force-dynamic'
export const GET = () => Response.json({ user: process.getuid(), cwd: process.cwd(), mode: process.env.NODE_ENV })
`,
    'public/hello.txt': 'hello\n',
    // Written for an image whose own stages install and build: it hides all that would run.
    '.dockerignore': `# what the stages of the Dockerfile make themselves
node_modules
.next
out
build
dist
public/hello.txt

# tools, secrets and documents
.git
.env*
Dockerfile*
compose*.yaml
*.md
npm-debug.log*
`,
  },
  steps: [{ run: ['node_modules/next/dist/bin/next', 'build'] }],
  env: { NEXT_TELEMETRY_DISABLED: '1' },
}

describeProject('a Next.js app with output "standalone"', next, (built) => {
  it('answers with its pages, routes, assets and public files', async () => {
    const image = built().image()
    expect(await image.ask('/')).toContain('200 <!DOCTYPE html>')
    expect(await image.ask('/api/info')).toBe('200 {"user":1000,"cwd":"/app","mode":"production"}')
    expect(await image.ask('/hello.txt')).toBe('200 hello ')
    const asset = Object.keys(image.files).find((path) => /^\.next\/static\/.*\.js$/.test(path)) ?? ''
    expect(await image.ask(asset.replace('.next', '/_next'))).toMatch(/^200 /)
  })

  it('is what the build wrote, with assets beside it, whatever .dockerignore says', () => {
    const { project, image } = built()
    const at = (from: string, to: string): TreeListing =>
      Object.fromEntries(
        Object.entries(listTree(`${project.folder}/${from}`)).map(([path, value]) => [`${to}${path}`, value]),
      )
    const wanted = {
      ...at('.next/standalone', ''),
      ...at('.next/static', '.next/static/'),
      ...at('public', 'public/'),
    }
    expect(differences(image().files, wanted)).toEqual([])
    expect(Object.keys(wanted).length).toBeGreaterThan(500)
  })

  it('may write its caches: images, fetches, pages that it makes anew', async () => {
    const code = `for (const path of ['.next/cache', '.next/server/app', '.next/server', 'server.js', 'node_modules']) {
      try { fs.accessSync(path, fs.constants.W_OK); console.log(path) } catch {}
    }`
    const { stdout } = await built().image().run(['node', '-e', code])
    expect(stdout).toBe('.next/cache\n.next/server/app\n')
  })

  it('says what it decided', () => {
    expect(built().decisions.join('\n')).toMatch(
      /^command: node server\.js \(the output of Next\.js standalone\)$/m,
    )
  })
})

const nest: ProjectRecipe = {
  name: 'nest',
  manager: 'npm',
  install: ['install', '--ignore-scripts'],
  production: { '': { install: ['ci', '--omit=dev', '--ignore-scripts'] } },
  files: {
    'package.json': {
      name: 'nest-api',
      private: true,
      scripts: { build: 'tsc', start: 'nest start' },
      dependencies: {
        '@nestjs/common': '11.1.6',
        '@nestjs/core': '11.1.6',
        '@nestjs/platform-express': '11.1.6',
        'reflect-metadata': '0.2.2',
        rxjs: '7.8.2',
      },
      devDependencies: { typescript: '5.9.2', '@types/node': '20.19.0' },
    },
    'tsconfig.json': {
      compilerOptions: {
        module: 'commonjs',
        target: 'es2022',
        rootDir: 'src',
        outDir: 'dist',
        emitDecoratorMetadata: true,
        experimentalDecorators: true,
        skipLibCheck: true,
      },
      include: ['src'],
    },
    'src/main.ts': `import { Controller, Get, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { AppService } from './app.service'

@Controller()
class AppController {
  constructor(private readonly service: AppService) {}
  @Get()
  info(): object {
    return this.service.info()
  }
}

@Module({ controllers: [AppController], providers: [AppService] })
class AppModule {}

NestFactory.create(AppModule, { logger: false }).then((app) => app.listen(process.env['SOCKET'] ?? 3000))
`,
    'src/app.service.ts': `import { Injectable } from '@nestjs/common'

@Injectable()
export class AppService {
  info(): object {
    return { user: process.getuid?.(), cwd: process.cwd() }
  }
}
`,
    '.gitignore': 'dist\nnode_modules\n',
  },
  steps: [{ run: ['node_modules/typescript/bin/tsc'] }],
}

describeProject('a Nest app', nest, (built) => {
  it('answers over a socket', async () => {
    expect(await built().image().ask('/', ['SOCKET=/tmp/app.sock'])).toBe('200 {"user":1000,"cwd":"/app"}')
  })

  it('has the packages that npm installs for production', () => {
    const { project, image } = built()
    expect(differences(dependenciesOf(image().files), dependenciesOf(project.production[''] ?? {}))).toEqual(
      [],
    )
    const own = pick(image().files, (path) => !path.startsWith('node_modules/'))
    expect(Object.keys(own)).toEqual(expect.arrayContaining(['dist/main.js', 'dist/app.service.js']))
  })

  it('says what it decided', () => {
    expect(built().decisions.join('\n')).toMatch(/^command: node dist\/main\.js \(the output of NestJS\)$/m)
  })
})
