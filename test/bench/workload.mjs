/** The app that is built: a real node_modules below a small source folder, and the edits that are made to it. */

import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'

const here = import.meta.dirname
export const project = resolve(here, '../..')
export const work = join(project, 'node_modules/.cache/ocibuild-bench')
export const app = join(work, 'app')
export const cli = join(project, 'dist/cli.cjs')

const sourceFile = join(app, 'src/routes/users.js')
const dependencyFile = join(app, 'node_modules/react/index.js')
const marker = '\n// changed by the benchmark: '
let edits = 0

/** Installs the dependencies once, and writes what is ours anew. */
export function prepareApp() {
  mkdirSync(join(app, 'src/routes'), { recursive: true })
  cpSync(join(here, 'app/package.json'), join(app, 'package.json'))
  const routes = ['users', 'orders', 'health']
  for (const name of routes) {
    const handler = `export function ${name}(request, response) {\n  response.json({ route: '${name}', path: request.path })\n}\n`
    writeFileSync(join(app, 'src/routes', `${name}.js`), handler)
  }
  const lines = [
    `import express from 'express'`,
    ...routes.map((name) => `import { ${name} } from './routes/${name}.js'`),
    `const app = express()`,
    ...routes.map((name) => `app.get('/${name}', ${name})`),
    `app.listen(3000)`,
  ]
  writeFileSync(join(app, 'src/server.js'), `${lines.join('\n')}\n`)
  writeConfig(app, [
    { name: 'dependencies', entries: [{ copy: 'node_modules', to: '/app/node_modules' }] },
    { name: 'app', entries: [{ copy: 'src', to: '/app/src' }] },
  ])
  if (!existsSync(join(app, 'node_modules/.package-lock.json'))) {
    process.stderr.write('installing the app to build, once …\n')
    const flags = ['--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund']
    execFileSync('npm', ['install', ...flags], { cwd: app, stdio: 'inherit' })
  }
  restore()
}

/** `metadata: 'none'`: git has no part in what is measured. */
export function writeConfig(folder, layers) {
  const spec = { name: 'bench', platforms: ['linux/amd64'], created: 'epoch', metadata: 'none', layers }
  writeFileSync(join(folder, 'oci.config.json'), JSON.stringify(spec))
}

/** The words of one of our builds. */
export function buildCommand({ folder = app, node = 'node', cache, flags, isFirst = false }) {
  // A machine that never ran it has none of its compiled code either.
  const start = isFirst ? `NODE_DISABLE_COMPILE_CACHE=1 ${node}` : node
  return `cd ${folder} && ${start} ${cli} build --cache-dir ${cache} -q ${flags}`
}

export const editSource = () => edit(sourceFile)
export const editDependency = () => edit(dependencyFile)

/** Takes all edits back, also those of a run that was cut short; tells whether there were any. */
export function restore() {
  const edited = [sourceFile, dependencyFile].filter((path) => readFileSync(path, 'utf8').includes(marker))
  for (const path of edited) {
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.slice(0, text.indexOf(marker)))
  }
  return edited.length > 0
}

/** Another content each time: what was built before must not be found. */
function edit(path) {
  edits += 1
  writeFileSync(path, `${readFileSync(path, 'utf8')}${marker}${process.pid}.${edits}\n`)
}

/** Removes, and has all that was written reach the disk: no case pays for what another one left. */
export function settle(...paths) {
  for (const path of paths) rmSync(path, { recursive: true, force: true })
  execFileSync('sync')
}

/** Files and their bytes below a folder. */
export function countTree(folder) {
  let files = 0
  let bytes = 0
  for (const item of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!item.isFile()) continue
    files += 1
    bytes += statSync(join(item.parentPath, item.name)).size
  }
  return { files, bytes }
}

/** Sizes (bytes) of the layers of the one image in a layout. */
export function layerSizes(layout) {
  const read = (path) => JSON.parse(readFileSync(join(layout, path), 'utf8'))
  const blob = ({ digest }) => read(`blobs/${digest.replace(':', '/')}`)
  let document = blob(read('index.json').manifests[0])
  while (document.manifests) document = blob(document.manifests[0])
  return document.layers.map(({ size }) => size)
}
