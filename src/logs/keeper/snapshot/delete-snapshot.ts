/**
 * Removes a snapshot: its manifest first, with which it is gone, then what no other snapshot needs. What a crash leaves, and what snapshots
 * left that were never finished, goes with the next one that is removed.
 */
import { readManifest } from './manifest.ts'
import { SnapshotFolder } from './snapshot-folder.ts'
import { NotFound, throwIfAborted } from '#/kernel/errors.ts'
import type { World } from '#/kernel/world.ts'
import type { DeletedSnapshot } from '#/logs/wire/snapshot.ts'

/** @throws BadRequest, NotFound; Corruption when another manifest cannot be read: then no block is removed, as it may need them. */
export async function deleteSnapshot(
  world: World,
  directory: string,
  name: string,
  signal: AbortSignal,
): Promise<DeletedSnapshot> {
  SnapshotFolder.checkName(name)
  const { disk } = world
  const folder = new SnapshotFolder(world, directory)
  const names = await folder.names()
  if (!names.includes(name)) throw new NotFound(`there is no snapshot '${name}' in ${folder.root}`)
  await disk.remove(folder.manifestPath(name))
  await disk.syncDir(folder.root)
  const needed = new Set<string>()
  for (const other of names) {
    if (other === name) continue
    await readManifest(disk, folder.manifestPath(other), ({ key, kind }) => void (kind === 'block' && needed.add(key)))
  }
  let blocks = 0
  let bytes = 0
  const others = new Set(names.filter((one) => one !== name))
  for await (const path of filesBelow(world, `${folder.root}/state`)) {
    throwIfAborted(signal)
    const owner = path.slice(folder.root.length + '/state/'.length).split('/')[0]!
    if (!others.has(owner)) await disk.remove(path)
  }
  for await (const path of filesBelow(world, `${folder.root}/blocks`)) {
    throwIfAborted(signal)
    if (needed.has(path.slice(folder.root.length + '/blocks/'.length))) continue
    bytes += (await disk.stat(path))?.sizeBytes ?? 0
    blocks++
    await disk.remove(path)
  }
  return { name, blocks, bytes }
}

async function* filesBelow(world: World, dir: string): AsyncGenerator<string> {
  for (const { name, isDirectory } of await world.disk.list(dir)) {
    if (isDirectory) yield* filesBelow(world, `${dir}/${name}`)
    else yield `${dir}/${name}`
  }
}
