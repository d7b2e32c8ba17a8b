/** Writes the answer of a query as Loki's JSON. */
import { labelsObject } from './labels-json.ts'
import { lokiStats } from './loki-stats.ts'
import type { QueryAnswer, QueryData, ResultStream } from '#/logs/wire/query.ts'
import type { RowCursor } from '#/logs/wire/query-stream.ts'
import { formatSampleValue } from '#/series/format-value.ts'

/** Parts of a body are joined to buffers of about this size, so that a large answer is not one string. */
const CHUNK_BYTES = 256 * 1024

/**
 * The body of `query` and `query_range`, as JSON text in pieces; ends with a newline as Loki's does for streams. Has a cursor when
 * pages were asked for and there may be another one.
 */
export function encodeAnswer(
  answer: QueryAnswer,
  flags: readonly string[],
  cursorText?: (cursor: RowCursor) => string,
): Uint8Array[] {
  const out = new JsonPieces()
  const { data } = answer
  out.write('{"status":"success",')
  if (data.kind === 'streams' && answer.warnings.length > 0) out.write(`"warnings":${JSON.stringify(answer.warnings)},`)
  const resultType = data.kind
  out.write(`"data":{"resultType":"${resultType}",`)
  if (data.kind === 'streams' && flags.length > 0) out.write(`"encodingFlags":${JSON.stringify(flags)},`)
  out.write('"result":')
  encodeResult(out, data, flags.includes('categorize-labels'))
  out.write(`,"stats":${JSON.stringify(lokiStats(answer.stats))}`)
  if (answer.next !== undefined && cursorText !== undefined) {
    out.write(`,"cursor":${JSON.stringify(cursorText(answer.next))}`)
  }
  out.write('}')
  if (data.kind !== 'streams' && answer.warnings.length > 0) out.write(`,"warnings":${JSON.stringify(answer.warnings)}`)
  out.write('}\n')
  return out.finish()
}

/** The value of `result`. */
export function encodeResult(out: JsonPieces, data: QueryData, categorize: boolean): void {
  switch (data.kind) {
    case 'streams':
      return writeStreams(out, categorize ? data.categorized : data.streams, categorize)
    case 'matrix': {
      const times = stepTimes(data.startNs, data.stepNs, data.series[0]?.values.length ?? 0)
      return out.list(data.series, ({ labels, values, present }) => {
        const points: string[] = []
        for (let i = 0; i < values.length; i++) {
          if (present[i] === 1) points.push(`[${times[i]},"${formatSampleValue(values[i] ?? 0)}"]`)
        }
        out.write(`{"metric":${labelsObject(labels)},"values":[${points.join(',')}]}`)
      })
    }
    case 'vector':
      return out.list(data.samples, ({ labels, value }) => {
        out.write(`{"metric":${labelsObject(labels)},"value":[${seconds(data.timeNs)},"${formatSampleValue(value)}"]}`)
      })
    case 'scalar':
      return out.write(`[${seconds(data.timeNs)},"${formatSampleValue(data.value)}"]`)
  }
}

export function writeStreams(out: JsonPieces, streams: readonly ResultStream[], categorize: boolean): void {
  out.list(streams, ({ labels, entries }) => {
    out.write(`{"stream":${labelsObject(labels)},"values":`)
    out.list(entries, ({ timeNs, line, structuredMetadata, parsed }) => {
      out.write(`["${timeNs}",${JSON.stringify(line.toString('utf8'))}`)
      if (categorize) {
        const parts: string[] = []
        if (structuredMetadata.length > 0) parts.push(`"structuredMetadata":${labelsObject(structuredMetadata)}`)
        if (parsed.length > 0) parts.push(`"parsed":${labelsObject(parsed)}`)
        out.write(`,{${parts.join(',')}}`)
      }
      out.write(']')
    })
    out.write('}')
  })
}

/** Seconds with up to three decimals, as a JSON number. */
export function seconds(ns: bigint): string {
  return String(Number(ns / 1_000_000n) / 1000)
}

function stepTimes(startNs: bigint, stepNs: bigint, count: number): string[] {
  return Array.from({ length: count }, (_, index) => seconds(startNs + BigInt(index) * stepNs))
}

/** Collects JSON text into buffers of bounded size. */
export class JsonPieces {
  readonly #done: Uint8Array[] = []
  #open: string[] = []
  #openLength = 0

  write(text: string): void {
    this.#open.push(text)
    this.#openLength += text.length
    if (this.#openLength >= CHUNK_BYTES) this.#seal()
  }

  list<T>(items: readonly T[], write: (item: T) => void): void {
    this.write('[')
    items.forEach((item, index) => {
      if (index > 0) this.write(',')
      write(item)
    })
    this.write(']')
  }

  finish(): Uint8Array[] {
    this.#seal()
    return this.#done
  }

  #seal(): void {
    if (this.#openLength > 0) this.#done.push(Buffer.from(this.#open.join('')))
    this.#open = []
    this.#openLength = 0
  }
}
