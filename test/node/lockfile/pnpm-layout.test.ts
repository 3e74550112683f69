/** Names of folders in pnpm's store, as pnpm 9.15 and 10.18 were seen to write them. */

import { describe, expect, it } from 'vitest'
import { storeName } from '../../../src/node/lockfile/pnpm-layout.ts'

const nest =
  '@nestjs/core@10.4.15(@nestjs/common@10.4.15(reflect-metadata@0.2.2)(rxjs@7.8.1))(@nestjs/platform-express@10.4.15)(reflect-metadata@0.2.2)(rxjs@7.8.1)'

describe('a folder of the store', () => {
  it.each<[string, 9 | 10, string]>([
    ['ms@2.1.3', 9, 'ms@2.1.3'],
    ['ms@2.1.3', 10, 'ms@2.1.3'],
    ['own@file:own-1.0.0.tgz', 10, 'own@file+own-1.0.0.tgz'],
    [
      '@nestjs/platform-express@10.4.15(@nestjs/common@10.4.15(reflect-metadata@0.2.2)(rxjs@7.8.1))(@nestjs/core@10.4.15)',
      9,
      '@nestjs+platform-express@10.4.15_@nestjs+common@10.4.15_reflect-metadata@0.2.2_rxjs@7.8.1__@nestjs+core@10.4.15',
    ],
    [
      nest,
      9,
      '@nestjs+core@10.4.15_@nestjs+common@10.4.15_reflect-metadata@0.2.2_rxjs@7.8.1__@nestjs+platfo_aw6fupqhj3dxgj53odky3dtxfu',
    ],
    [
      nest,
      10,
      '@nestjs+core@10.4.15_@nestjs+common@10.4.15_reflect-metadata@0.2.2_rxjs@7.8.1__@nestjs+_3d8f1410c889744019a0e42a4715aa3d',
    ],
    ['JSONStream@1.3.5', 9, 'JSONStream@1.3.5_r3os6ifnv5rfzwtsmjig3b325i'],
    ['JSONStream@1.3.5', 10, 'JSONStream@1.3.5_fb8f73c374dcf7070ffed90b688edabd'],
  ])('of %s with pnpm %i', (key, major, name) => {
    expect(storeName(key, major)).toBe(name)
  })
})
