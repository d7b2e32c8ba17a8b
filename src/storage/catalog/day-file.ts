/**
 * The object `<tenant>/logs/<yyyy-mm-dd>/catalog.json`: what a start would otherwise learn from the footer of every block of
 * that day. An accelerator, never the truth, with one exception: it alone remembers which inputs a completed merge replaced.
 * docs/formats/catalog.md describes it.
 *
 *     {"format":"edda-catalog","version":1,"crc32":"89abcdef","body":"…"}        body is JSON in a JSON text
 *     body: {"blocks":[{"key":…, "sizeBytes":…, …BlockMeta}],"tombstones":[key],"flushed":{ingester: sequence}}
 */
import { crc32 } from '#/kernel/crc32.ts'
import { asRecord, parseStoredMeta, storedMetaOf } from '#/storage/block/meta-json.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'

export const DAY_FILE_NAME = 'catalog.json'
const FORMAT = 'edda-catalog'
const VERSION = 1

/** What is known of one tenant's day. Values are replaced, never changed. */
export type DayState = {
  /** By key, in the order in which they became known. */
  readonly blocks: ReadonlyMap<string, BlockMeta>
  /** Keys of objects that may still exist and do not count: inputs of merges, outputs of merges that were not completed. */
  readonly tombstones: ReadonlySet<string>
  /** Greatest flushed sequence number by ingester; stays when merges replace the blocks that carried it. */
  readonly flushed: ReadonlyMap<string, number>
}

export const emptyDay: DayState = { blocks: new Map(), tombstones: new Set(), flushed: new Map() }

export function encodeDayFile(state: DayState): Buffer {
  const body = JSON.stringify({
    blocks: Array.from(state.blocks.values(), (meta) => ({
      key: meta.key,
      sizeBytes: meta.sizeBytes,
      ...storedMetaOf(meta),
    })),
    tombstones: [...state.tombstones],
    flushed: Object.fromEntries(state.flushed),
  })
  return Buffer.from(`${JSON.stringify({ format: FORMAT, version: VERSION, crc32: checksum(body), body })}\n`)
}

/** A text that says what is wrong when it is damaged or of another version. */
export function parseDayFile(bytes: Uint8Array): DayState | string {
  const file = asRecord(parseJson(Buffer.from(bytes).toString()))
  if (file === undefined || file['format'] !== FORMAT) return `it is not of format ${FORMAT}`
  if (file['version'] !== VERSION) return `version ${String(file['version'])} is not ${VERSION}`
  const { body } = file as { readonly body?: unknown }
  if (typeof body !== 'string') return 'it has no body'
  const found = checksum(body)
  if (file['crc32'] !== found) return `checksum is ${found}, expected ${String(file['crc32'])}`
  const fields = asRecord(parseJson(body))
  if (fields === undefined || !Array.isArray(fields['blocks']) || !Array.isArray(fields['tombstones'])) {
    return 'its body has no blocks and tombstones'
  }
  const blocks = new Map<string, BlockMeta>()
  for (const value of fields['blocks']) {
    const meta = parseMeta(value)
    if (typeof meta === 'string') return meta
    blocks.set(meta.key, meta)
  }
  const tombstones = fields['tombstones'].filter((key) => typeof key === 'string')
  const flushed = Object.entries(asRecord(fields['flushed']) ?? {}).filter((entry) => Number.isSafeInteger(entry[1]))
  return { blocks, tombstones: new Set(tombstones), flushed: new Map(flushed as [string, number][]) }
}

function parseMeta(value: unknown): BlockMeta | string {
  const stored = parseStoredMeta(value)
  if (typeof stored === 'string') return stored
  const { key, sizeBytes } = value as { readonly key?: unknown; readonly sizeBytes?: unknown }
  if (typeof key !== 'string' || typeof sizeBytes !== 'number') return 'a block has no key and size'
  return { ...stored, key, sizeBytes }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function checksum(body: string): string {
  return crc32(Buffer.from(body)).toString(16).padStart(8, '0')
}
