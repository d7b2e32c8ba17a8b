/** Writes the events of a streamed query as lines of JSON. */
import type { RowCursor, StreamEvent } from '#/logs/wire/query-stream.ts'
import { encodeResult, JsonPieces, writeStreams } from './encode-answer.ts'
import { lokiStats } from './loki-stats.ts'

export type FrameOptions = {
  /** Those of `X-Loki-Response-Encoding-Flags`. */
  readonly flags: readonly string[]
  readonly cursorText: (cursor: RowCursor) => string
}

/** The lines of an event in pieces; none for warnings when there are none. */
export function encodeFrame(event: StreamEvent, { flags, cursorText }: FrameOptions): readonly Uint8Array[] {
  const out = new JsonPieces()
  switch (event.kind) {
    case 'progress': {
      const { bytesDone, bytesTotal, blocksDone, blocksTotal } = event.progress
      const fields = {
        bytes_done: bytesDone,
        bytes_total: bytesTotal,
        blocks_done: blocksDone,
        blocks_total: blocksTotal,
      }
      out.write(`${JSON.stringify({ type: 'progress', ...fields })}\n`)
      break
    }
    case 'rows': {
      const categorize = flags.includes('categorize-labels')
      out.write('{"type":"rows",')
      if (flags.length > 0) out.write(`"encodingFlags":${JSON.stringify(flags)},`)
      out.write('"streams":')
      writeStreams(out, categorize ? event.categorized : event.streams, categorize)
      out.write(`${cursorField(event.next, cursorText)}}\n`)
      break
    }
    case 'result':
      out.write(`{"type":"result","data":{"resultType":"${event.data.kind}","result":`)
      encodeResult(out, event.data, false)
      out.write('}}\n')
      break
    case 'end':
      if (event.warnings.length > 0) out.write(`${JSON.stringify({ type: 'warnings', warnings: event.warnings })}\n`)
      out.write(
        `{"type":"end","stats":${JSON.stringify(lokiStats(event.stats))}${cursorField(event.next, cursorText)}}\n`,
      )
      break
  }
  return out.finish()
}

function cursorField(cursor: RowCursor | undefined, write: FrameOptions['cursorText']): string {
  return cursor === undefined ? '' : `,"cursor":${JSON.stringify(write(cursor))}`
}
