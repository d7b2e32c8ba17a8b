/** Writes what a query has cost in Loki's words. */
import type { CacheUse, QueryStats } from '#/logs/wire/query.ts'

/**
 * Loki's `stats` object: every key that clients look for, with what Edda knows; what has no meaning here is zero. A chunk is a page,
 * a split a day, a shard a job. What Loki has no word for stands under `edda`.
 */
export function lokiStats(stats: QueryStats): unknown {
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
      shards: stats.subqueries,
      totalPostFilterLines: stats.postFilterRows,
      totalStructuredMetadataBytesProcessed: stats.headMetadataBytes + stats.blockMetadataBytes,
    },
    querier: { store: lokiStore(stats), querierExecTime: stats.execSeconds },
    ingester: {
      totalReached: 1,
      totalChunksMatched: stats.headPagesTotal,
      totalBatches: stats.headPagesRead,
      totalLinesSent: stats.headRows,
      store: {
        ...zeroStore,
        totalChunksRef: stats.headPagesTotal,
        totalChunksDownloaded: stats.headPagesRead,
        queryReferencedStructuredMetadata: stats.headMetadataBytes > 0,
        chunk: {
          ...zeroStore.chunk,
          headChunkBytes: stats.headBytes,
          headChunkLines: stats.headRows,
          headChunkStructuredMetadataBytes: stats.headMetadataBytes,
        },
      },
    },
    cache: {
      ...Object.fromEntries(cacheNames.map((name) => [name, lokiCache(undefined)])),
      result: lokiCache(stats.knownSamples),
      logResult: lokiCache(stats.knownPages),
    },
    index: {
      totalChunks: stats.pagesTotal,
      postFilterChunks: stats.pagesTotal - stats.pagesByIndex - stats.pagesByFilter,
      shardsDuration: 0,
      usedBloomFilters: stats.blocksProbed > 0,
      totalStreams: stats.streamsMatched,
      chunkRefsLookupTime: stats.pruneSeconds,
      bloomFilterTime: stats.filterSeconds,
    },
    edda: eddaStats(stats),
  }
}

function eddaStats(stats: QueryStats) {
  return {
    blocksTotal: stats.blocksTotal,
    blocksPrunedByTime: stats.blocksByTime,
    blocksPrunedByIndex: stats.blocksByIndex,
    blocksPrunedByFilter: stats.blocksByFilter,
    blocksRead: stats.blocksRead,
    pagesTotal: stats.pagesTotal,
    pagesPrunedByIndex: stats.pagesByIndex,
    pagesPrunedByFilter: stats.pagesByFilter,
    pagesRead: stats.pagesRead,
    pagesWithoutHit: stats.pagesWithoutHit,
    bytesDecoded: stats.decodedBytes,
    bytesRead: stats.blockCompressedBytes,
    duplicateRows: stats.duplicateRows,
  }
}

const nanoseconds = (seconds: number): number => Math.round(seconds * 1e9)

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

/** Results are kept by block: an entry is what is known of one of them. */
function lokiCache(use: CacheUse | undefined) {
  return {
    entriesFound: use?.found ?? 0,
    entriesRequested: use?.requests ?? 0,
    entriesStored: use?.stored ?? 0,
    bytesReceived: use?.bytesFound ?? 0,
    bytesSent: use?.bytesStored ?? 0,
    requests: use?.requests ?? 0,
    downloadTime: 0,
    queryLengthServed: 0,
  }
}

function lokiStore(stats: QueryStats | undefined) {
  return {
    totalChunksRef: (stats?.pagesTotal ?? 0) - (stats?.headPagesTotal ?? 0),
    totalChunksDownloaded: (stats?.pagesRead ?? 0) - (stats?.headPagesRead ?? 0),
    chunksDownloadTime: nanoseconds(stats?.readSeconds ?? 0),
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
    chunkRefsFetchTime: nanoseconds(stats?.pruneSeconds ?? 0),
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
