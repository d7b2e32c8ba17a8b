/**
 * Cursors as clients see them: a text that they hand back as it is. It says where a page of a log query ended, and belongs to the
 * query, tenant, direction and range that it was made for.
 */
import { BadRequest } from '#/kernel/errors.ts'
import { hash53 } from '#/kernel/hash64.ts'
import type { Direction, RangeQuery } from '#/logs/wire/query.ts'
import type { RowCursor } from '#/logs/wire/query-stream.ts'

const VERSION = 1
/** Longer texts are none of ours. */
const MAX_LENGTH = 512

type Paged = Pick<RangeQuery, 'tenant' | 'query' | 'direction' | 'intervalNs' | 'startNs' | 'endNs'>

/** What a cursor holds besides what it is checked against. */
export type DecodedCursor = {
  readonly after: RowCursor
  readonly startNs: bigint
  readonly endNs: bigint
}

export function encodeCursor({ timeNs, stream, count, identity }: RowCursor, paged: Paged): string {
  const { direction, startNs, endNs } = paged
  const fields = [VERSION, direction === 'forward' ? 1 : 0, queryHash(paged), `${startNs}`, `${endNs}`]
  return Buffer.from(JSON.stringify([...fields, `${timeNs}`, stream, count, identity])).toString('base64url')
}

/** @throws BadRequest when the text is no cursor, or one of another query. */
export function decodeCursor(
  text: string,
  paged: Pick<Paged, 'tenant' | 'query' | 'intervalNs'> & { readonly direction: Direction },
): DecodedCursor {
  const fields = parse(text)
  if (fields === undefined) throw new BadRequest('the cursor is not valid; hand it back as it was answered')
  const [, forward, query, start, end, time, stream, count, identity] = fields
  if (query !== queryHash(paged)) throw new BadRequest('the cursor belongs to another query')
  if (forward !== (paged.direction === 'forward' ? 1 : 0)) {
    throw new BadRequest('the cursor belongs to the other direction')
  }
  const after = { timeNs: BigInt(time), stream, count, identity }
  return { after, startNs: BigInt(start), endNs: BigInt(end) }
}

type Fields = readonly [
  version: number,
  forward: number,
  query: number,
  start: string,
  end: string,
  time: string,
  stream: number,
  count: number,
  identity: number,
]

function parse(text: string): Fields | undefined {
  if (text.length > MAX_LENGTH || !/^[\w-]+$/.test(text)) return undefined
  let fields: unknown
  try {
    fields = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return undefined
  }
  return isFields(fields) ? fields : undefined
}

function isFields(fields: unknown): fields is Fields {
  if (!Array.isArray(fields) || fields.length !== 9 || fields[0] !== VERSION) return false
  const [, forward, query, start, end, time, stream, count, identity] = fields as unknown[]
  const isTime = (value: unknown): boolean => typeof value === 'string' && /^-?\d{1,19}$/.test(value)
  const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
  if (![start, end, time].every(isTime) || ![forward, query, stream, count, identity].every(isCount)) return false
  const ns = (value: unknown): bigint => BigInt(value as string)
  return ns(start) <= ns(time) && ns(time) < ns(end) && (count as number) > 0
}

function queryHash({ tenant, query, intervalNs }: Pick<Paged, 'tenant' | 'query' | 'intervalNs'>): number {
  return hash53(`${tenant}\n${intervalNs}\n${query}`)
}
