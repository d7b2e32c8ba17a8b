/** What `edda inspect` can read. */
import { basename, dirname, join, resolve } from 'node:path'

import { NotFound } from '#/kernel/errors.ts'
import type { World } from '#/kernel/world.ts'
import type { CliDeps } from '#/cli/io.ts'
import { inspectBlock, inspectCatalog } from '#/logs/store/inspect.ts'
import { decodeEntryBatch } from '#/logs/wire/entry-batch-codec.ts'
import { FilesystemStore } from '#/platform/objstore/filesystem.ts'
import { inspectWal } from '#/storage/wal/inspect.ts'

export function inspectors({ disk, random }: World): CliDeps['inspectors'] {
  return {
    block: async (path) => {
      const file = resolve(path)
      if ((await disk.stat(file)) === undefined) throw new NotFound(`there is no file ${path}`)
      // a key is `<tenant>/logs/<day>/<name>` below the store's root
      const day = dirname(file)
      const tenant = dirname(dirname(day))
      const store = await FilesystemStore.open({ disk, random, root: dirname(tenant) })
      return inspectBlock(store, join(basename(tenant), 'logs', basename(day), basename(file)))
    },
    wal: (path, { maxItems }) =>
      inspectWal(disk, path, {
        maxRecords: maxItems,
        describe: (payload) => {
          const { tenant, batch } = decodeEntryBatch(payload)
          return { tenant, rows: batch.rowCount, streams: batch.streams.length }
        },
      }),
    catalog: async (path) => {
      const file = path.endsWith('.json') ? path : join(path, 'catalog.json')
      if ((await disk.stat(file)) === undefined) throw new NotFound(`there is no catalog ${file}`)
      return inspectCatalog(await disk.readFile(file))
    },
  }
}
