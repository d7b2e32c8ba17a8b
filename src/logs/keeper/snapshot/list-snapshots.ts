import { readManifest, readManifestHead, type ManifestHead } from './manifest.ts'
import { SnapshotFolder } from './snapshot-folder.ts'
import { Corruption, throwIfAborted } from '#/kernel/errors.ts'
import type { World } from '#/kernel/world.ts'
import type { SnapshotInfo } from '#/logs/wire/snapshot.ts'

/** Snapshots of a directory, oldest first. Their manifests are read and checked whole, the objects are not. */
export async function* listSnapshots(
  world: World,
  directory: string,
  signal: AbortSignal,
): AsyncGenerator<SnapshotInfo> {
  const folder = new SnapshotFolder(world, directory)
  const heads: ManifestHead[] = []
  for (const name of await folder.names()) {
    const head = await readManifestHead(world.disk, folder.manifestPath(name)).catch(unlessDamaged)
    heads.push({ created: '', ...head, name })
  }
  heads.sort((a, b) => (a.created < b.created ? -1 : a.created > b.created ? 1 : a.name < b.name ? -1 : 1))
  for (const head of heads) {
    throwIfAborted(signal)
    try {
      const { totals } = await readManifest(world.disk, folder.manifestPath(head.name))
      yield { ...head, ...totals }
    } catch (error) {
      unlessDamaged(error)
      yield { ...head, objects: 0, bytes: 0, rows: 0, problem: (error as Error).message }
    }
  }
}

function unlessDamaged(error: unknown): undefined {
  if (!(error instanceof Corruption)) throw error
  return undefined
}
