/** Writes the answer of a query as Loki's JSON. */
import { labelsObject } from './labels-json.ts'
import type { QueryAnswer, QueryData, QueryStats, ResultStream } from '#/logs/wire/query.ts'
import { formatSampleValue } from '#/series/format-value.ts'

/** Parts of a body are joined to buffers of about this size, so that a large answer is not one string. */
const CHUNK_BYTES = 256 * 1024

/** The body of `query` and `query_range`, as JSON text in pieces; ends with a newline as Loki's does for streams. */
export function encodeAnswer(answer: QueryAnswer, flags: readonly string[]): Uint8Array[] {
  const out = new JsonPieces()
  const { data } = answer
  out.write('{"status":"success",')
  if (data.kind === 'streams' && answer.warnings.length > 0) out.write(`"warnings":${JSON.stringify(answer.warnings)},`)
  const resultType = data.kind
  out.write(`"data":{"resultType":"${resultType}",`)
  if (data.kind === 'streams' && flags.length > 0) out.write(`"encodingFlags":${JSON.stringify(flags)},`)
  out.write('"result":')
  writeResult(out, data, flags.includes('categorize-labels'))
  out.write(`,"stats":${JSON.stringify(lokiStats(answer.stats))}}`)
  if (data.kind !== 'streams' && answer.warnings.length > 0) out.write(`,"warnings":${JSON.stringify(answer.warnings)}`)
  out.write('}\n')
  return out.finish()
}

function writeResult(out: JsonPieces, data: QueryData, categorize: boolean): void {
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

function writeStreams(out: JsonPieces, streams: readonly ResultStream[], categorize: boolean): void {
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
class JsonPieces {
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

/** Loki's `stats` object: every key that clients look for, with what Edda knows; what has no meaning here is zero. */
function lokiStats(stats: QueryStats): unknown {
  const bytes = stats.headBytes + stats.blockBytes + stats.headMetadataBytes + stats.blockMetadataBytes
  const lines = stats.headRows + stats.blockRows
  const rate = (amount: number): number => (stats.execSeconds > 0 ? Math.round(amount / stats.execSeconds) : 0)
  const zeroStore = lokiStore(undefined)
  return {
    summary: {
      bytesProcessedPerSecond: rate(bytes),
      linesProcessedPerSecond: rate(lines),
      totalBytesProcessed: bytes,
      totalLinesProcessed: lines,
      execTime: stats.execSeconds,
      queueTime: stats.queueSeconds,
      subqueries: stats.subqueries,
      totalEntriesReturned: stats.totalEntriesReturned,
      splits: stats.splits,
      shards: 0,
      totalPostFilterLines: stats.postFilterRows,
      totalStructuredMetadataBytesProcessed: stats.headMetadataBytes + stats.blockMetadataBytes,
    },
    querier: { store: lokiStore(stats), querierExecTime: stats.execSeconds },
    ingester: {
      totalReached: 1,
      totalChunksMatched: 0,
      totalBatches: 0,
      totalLinesSent: stats.headRows,
      store: {
        ...zeroStore,
        chunk: {
          ...zeroStore.chunk,
          headChunkBytes: stats.headBytes,
          headChunkLines: stats.headRows,
          headChunkStructuredMetadataBytes: stats.headMetadataBytes,
        },
      },
    },
    cache: Object.fromEntries(cacheNames.map((name) => [name, emptyCache])),
    index: {
      totalChunks: stats.pagesTotal,
      postFilterChunks: stats.pagesRead,
      shardsDuration: 0,
      usedBloomFilters: false,
      totalStreams: 0,
      chunkRefsLookupTime: 0,
      bloomFilterTime: 0,
    },
  }
}

const cacheNames = [
  'chunk',
  'index',
  'result',
  'statsResult',
  'volumeResult',
  'seriesResult',
  'labelResult',
  'instantMetricResult',
  'logResult',
  'taskResult',
]

const emptyCache = {
  entriesFound: 0,
  entriesRequested: 0,
  entriesStored: 0,
  bytesReceived: 0,
  bytesSent: 0,
  requests: 0,
  downloadTime: 0,
  queryLengthServed: 0,
}

function lokiStore(stats: QueryStats | undefined) {
  return {
    totalChunksRef: stats?.pagesTotal ?? 0,
    totalChunksDownloaded: stats?.pagesRead ?? 0,
    chunksDownloadTime: 0,
    queryReferencedStructuredMetadata: (stats?.blockMetadataBytes ?? 0) > 0,
    queryUsedV2Engine: false,
    chunk: {
      headChunkBytes: 0,
      headChunkLines: 0,
      decompressedBytes: stats?.blockBytes ?? 0,
      decompressedLines: stats?.blockRows ?? 0,
      compressedBytes: stats?.blockCompressedBytes ?? 0,
      totalDuplicates: stats?.duplicateRows ?? 0,
      postFilterLines: stats?.postFilterRows ?? 0,
      headChunkStructuredMetadataBytes: 0,
      decompressedStructuredMetadataBytes: stats?.blockMetadataBytes ?? 0,
    },
    chunkRefsFetchTime: 0,
    congestionControlLatency: 0,
    pipelineWrapperFilteredLines: 0,
    dataobj: {
      prePredicateDecompressedRows: 0,
      prePredicateDecompressedBytes: 0,
      prePredicateDecompressedStructuredMetadataBytes: 0,
      postPredicateRows: 0,
      postPredicateDecompressedBytes: 0,
      postPredicateStructuredMetadataBytes: 0,
      postFilterRows: 0,
      pagesScanned: 0,
      pagesDownloaded: 0,
      pagesDownloadedBytes: 0,
      pageBatches: 0,
      totalRowsAvailable: 0,
      totalPageDownloadTime: 0,
      wireBytesTransferred: 0,
    },
  }
}
