/** `BlockMeta` as JSON, in footers and catalogs. Unknown fields are ignored, so that later versions may add some. */
import type { BlockMeta } from './meta.ts'

/** Without `key` and `sizeBytes`, which a footer cannot know or need not repeat. */
export type StoredMeta = Omit<BlockMeta, 'key' | 'sizeBytes'>

export function storedMetaOf({ key: _key, sizeBytes: _sizeBytes, ...stored }: BlockMeta): StoredMeta {
  return stored
}

/** The checked fields of `value`; a text that says what is wrong with them otherwise. */
export function parseStoredMeta(value: unknown): StoredMeta | string {
  const fields = asRecord(value)
  if (fields === undefined) return 'metadata is not an object'
  const { tenant } = fields
  if (typeof tenant !== 'string' || tenant === '') return 'metadata has no tenant'
  if (!Number.isSafeInteger(fields['day'])) return `day ${String(fields['day'])} is not an integer`
  const counts: Record<CountField, number> = {
    level: 0,
    minTime: 0,
    maxTime: 0,
    rowCount: 0,
    streamCount: 0,
    pageCount: 0,
    rawBytes: 0,
  }
  for (const name of countFields) {
    if (!isCount(fields[name])) return `${name} ${String(fields[name])} is not a count`
    counts[name] = fields[name]
  }
  const source = fields['source'] === undefined ? undefined : parseSource(fields['source'])
  if (typeof source === 'string') return source
  const replaces = fields['replaces']
  if (replaces === undefined) return { tenant, day: fields['day'] as number, ...counts, source }
  if (!Array.isArray(replaces) || !replaces.every((key) => typeof key === 'string'))
    return 'replaces is not a list of keys'
  const covers = fields['covers'] === undefined ? undefined : asRecord(fields['covers'])
  if (fields['covers'] !== undefined && !isCounts(covers)) return 'covers are not sequence numbers by ingester'
  const merged = { tenant, day: fields['day'] as number, ...counts, source, replaces }
  return covers === undefined ? merged : { ...merged, covers: covers as Readonly<Record<string, number>> }
}

const countFields = ['level', 'minTime', 'maxTime', 'rowCount', 'streamCount', 'pageCount', 'rawBytes'] as const
type CountField = (typeof countFields)[number]

function parseSource(value: unknown): NonNullable<BlockMeta['source']> | string {
  const fields = asRecord(value)
  if (fields === undefined) return 'source is not an object'
  const { ingester, fromSequence, toSequence } = fields
  if (typeof ingester !== 'string') return 'source has no ingester'
  if (!isCount(fromSequence) || !isCount(toSequence)) return 'source has no sequence numbers'
  return { ingester, fromSequence, toSequence }
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined
}

function isCounts(value: Readonly<Record<string, unknown>> | undefined): boolean {
  return value !== undefined && Object.values(value).every(isCount)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
