/** `quantile_over_time` with `unwrap` over one page: the scan as queries run it, and the naive way. */
import { parseExpr } from '#/logs/logql/parser/parse-expr.ts'
import { makePlan } from '#/logs/logql/planner/make-plan.ts'
import { runScanJob } from '#/logs/read/scan/run-job.ts'
import { sampleLeaf, type ScanJob } from '#/logs/read/scan/scan-job.ts'
import type { HeadPageColumns, LogPage } from '#/logs/store/log-page.ts'
import { LabelIndexBuilder } from '#/storage/index/label-index-builder.ts'
import { countLines, jsonMember } from './naive.ts'

const MINUTE_NS = 60_000_000_000n

/** Rows that counted. */
export function scanQuantile(page: LogPage): () => number {
  const query = 'quantile_over_time(0.99, {app="a"} | json | unwrap latency_ms [1m]) by (app)'
  const plan = makePlan(parseExpr(query))
  if (plan.kind !== 'metric') throw new TypeError(`not a metric query: ${query}`)
  const { stages, needed, ...leaf } = plan.leaves[0]!
  const job: ScanJob = {
    kind: 'scan',
    key: query,
    stages,
    needed,
    nowNs: 0n,
    day: 0,
    from: 0,
    to: Infinity,
    parts: [
      {
        labels: oneStream(),
        streams: undefined,
        pages: [{ ...onePage, data: { kind: 'head', columns: columnsOf(page) } }],
      },
    ],
    task: {
      kind: 'samples',
      leaf: sampleLeaf({ ...leaf, stages, needed }),
      window: { startNs: MINUTE_NS, stepNs: MINUTE_NS, stepCount: 1, rangeNs: MINUTE_NS },
      maxBytes: 2 ** 30,
    },
  }
  return () => runScanJob(job, () => undefined).counts.passedRows
}

const onePage = { order: 0, isInside: true, dropped: undefined } as const

function oneStream(): ScanJob['parts'][number]['labels'] {
  const builder = new LabelIndexBuilder()
  builder.add('{app="a"}', [['app', 'a']])
  return builder.coded()
}

function columnsOf({ rowCount, stream, time, lineStart, lines }: LogPage): HeadPageColumns {
  return {
    rowCount,
    stream: shared(stream) as never,
    // all in one window
    time: shared(time.map((_, row) => row + 1)) as never,
    lineStart: shared(lineStart) as never,
    lines: shared(new Uint8Array(lines)) as never,
    metaStart: shared(new Uint32Array(rowCount + 1)) as never,
    meta: shared(new Uint8Array(0)) as never,
    metaNames: [],
    minTime: 1,
    maxTime: rowCount,
  }
}

function shared<T extends Uint32Array | Float64Array | Uint8Array>(array: T): T {
  const copy = new (array.constructor as new (buffer: SharedArrayBuffer) => T)(new SharedArrayBuffer(array.byteLength))
  copy.set(array as never)
  return copy
}

export function naiveQuantile(page: LogPage): number {
  const values: number[] = []
  countLines(page, (line) => values.push(Number(jsonMember(line, 'latency_ms'))) > 0)
  values.sort((a, b) => a - b)
  const rank = 0.99 * (values.length - 1)
  const low = Math.floor(rank)
  const quantile = values[low]! + (rank - low) * ((values[low + 1] ?? values[low]!) - values[low]!)
  return quantile > 0 ? values.length : 0
}
