/** What the command line does with data directories by itself, without a server. */
import { resolve } from 'node:path'

import type { LocalData } from '#/cli/io.ts'
import { EddaError } from '#/kernel/errors.ts'
import type { World } from '#/kernel/world.ts'
import { examine } from '#/logs/keeper/doctor/doctor.ts'
import { listSnapshots } from '#/logs/keeper/snapshot/list-snapshots.ts'
import { restoreSnapshot } from '#/logs/keeper/snapshot/restore-snapshot.ts'
import { type DirectoryLock, lockDirectory } from '#/platform/world/lock-directory.ts'

export function localData(world: World): LocalData {
  return {
    snapshots: {
      list: (directory, signal) => listSnapshots(world, resolve(directory), signal),
      restore: ({ from, to, ...rest }) => restoreSnapshot({ world, from: resolve(from), to: resolve(to), ...rest }),
    },
    examine: async ({ root, blocks, wal, ...rest }) => {
      const hasWal = (await world.disk.list(wal)).length > 0
      // without a log no server has it open, and a mere look shall make no directory
      const lock = hasWal || rest.repairs ? await lockUnlessLive(wal, rest.repairs) : undefined
      try {
        return await examine({ world, places: { root, blocks, wal }, isLive: hasWal && lock === undefined, ...rest })
      } finally {
        await lock?.release()
      }
    },
  }
}

/** Undefined when a server has the directory. @throws EddaError when it must not. */
async function lockUnlessLive(directory: string, mustHave: boolean): Promise<DirectoryLock | undefined> {
  try {
    return await lockDirectory(directory)
  } catch (error) {
    if (!(error instanceof EddaError) || mustHave) throw error
    return undefined
  }
}
