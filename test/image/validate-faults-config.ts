/** Faults of image configs. */

import { configWith, executionWith, sound, type Case } from './validate-kit.ts'

export const configFaults: readonly Case[] = [
  {
    fault: 'a config without architecture',
    find: configWith({ architecture: undefined }),
    codes: ['OCB-VALIDATE-CONFIG'],
  },
  {
    fault: 'a config without rootfs',
    find: configWith({ rootfs: undefined }),
    codes: ['OCB-VALIDATE-CONFIG'],
  },
  {
    fault: 'a rootfs of another type',
    find: configWith({ rootfs: { type: 'x', diff_ids: [sound.diffId] } }),
    codes: ['OCB-VALIDATE-CONFIG'],
  },
  { fault: 'a cmd that is text', find: executionWith({ Cmd: 'sh' }), codes: ['OCB-VALIDATE-CONFIG'] },
  { fault: 'a user that is a number', find: executionWith({ User: 0 }), codes: ['OCB-VALIDATE-CONFIG'] },
  {
    fault: 'a label that is a number',
    find: executionWith({ Labels: { a: 1 } }),
    codes: ['OCB-VALIDATE-CONFIG'],
  },
  {
    fault: 'a time without zone',
    find: configWith({ created: '2024-01-01T00:00:00' }),
    codes: ['OCB-VALIDATE-CREATED'],
  },
  {
    fault: 'a day that its month does not have',
    find: configWith({ created: '2023-02-29T00:00:00Z' }),
    codes: ['OCB-VALIDATE-CREATED'],
  },
  { fault: 'env without =', find: executionWith({ Env: ['PATH'] }), codes: ['OCB-VALIDATE-ENV'] },
  { fault: 'env without a name', find: executionWith({ Env: ['=x'] }), codes: ['OCB-VALIDATE-ENV'] },
  {
    fault: 'a port that is none',
    find: executionWith({ ExposedPorts: { '80/http': {} } }),
    codes: ['OCB-VALIDATE-PORTS'],
  },
  {
    fault: 'a port that is too high',
    find: executionWith({ ExposedPorts: { '65536': {} } }),
    codes: ['OCB-VALIDATE-PORTS'],
  },
  {
    fault: 'volumes as a list',
    find: executionWith({ Volumes: ['/data'] }),
    codes: ['OCB-VALIDATE-VOLUMES'],
  },
  {
    fault: 'a volume that is not an object',
    find: executionWith({ Volumes: { '/data': true } }),
    codes: ['OCB-VALIDATE-VOLUMES'],
  },
  {
    fault: 'a stop signal that is none',
    find: executionWith({ StopSignal: 'please stop' }),
    codes: ['OCB-VALIDATE-STOP-SIGNAL'],
  },
  {
    fault: 'history whose empty_layer is text',
    find: configWith({ history: [{ empty_layer: 'no' }] }),
    codes: ['OCB-VALIDATE-HISTORY'],
  },
  {
    fault: 'more history than layers',
    find: configWith({ history: [{}, {}, { empty_layer: true }] }),
    codes: ['OCB-VALIDATE-HISTORY-COUNT'],
  },
  {
    fault: 'more diff_ids than layers',
    find: configWith({ rootfs: { type: 'layers', diff_ids: [sound.diffId, sound.diffId] } }),
    codes: ['OCB-VALIDATE-LAYER-COUNT'],
  },
]
