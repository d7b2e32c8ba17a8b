/**
 * Block formats by version. Every version keeps the trailer of v1 (its size, version and magic), so that a reader can tell
 * which one it has before it; a new version is a new folder and a case here.
 */
import { readIndex, readTail } from './v1/reader.ts'
import type { OpenedBlock, OpenOptions } from './v1/reader.ts'
import type { BlockMeta } from './meta.ts'
import { NotFound } from '#/kernel/errors.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'

/** Name of a block, and its size when it is known already. */
export type BlockRef = { readonly key: string; readonly sizeBytes?: number | undefined }

/** Reads footer and index. @throws Corruption, NotFound. */
export async function openBlock(store: ObjectStore, ref: BlockRef, options: OpenOptions = {}): Promise<OpenedBlock> {
  const { signal } = options
  const object = { store, key: ref.key, sizeBytes: ref.sizeBytes ?? (await sizeOf(store, ref.key, signal)) }
  return readIndex(object, await readTail(object, signal), options)
}

/** Reads the footer only. @throws Corruption, NotFound. */
export async function readBlockMeta(store: ObjectStore, ref: BlockRef, signal?: AbortSignal): Promise<BlockMeta> {
  const sizeBytes = ref.sizeBytes ?? (await sizeOf(store, ref.key, signal))
  return (await readTail({ store, key: ref.key, sizeBytes }, signal)).meta
}

async function sizeOf(store: ObjectStore, key: string, signal: AbortSignal | undefined): Promise<number> {
  const head = await store.head(key, signal)
  if (head === undefined) throw new NotFound(`block ${key} does not exist`)
  return head.sizeBytes
}
