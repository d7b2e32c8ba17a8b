/** Bodies of pushes, made beforehand, so that making them takes nothing from the server that is measured. */
import { encodePush, encodePushJson, type PushEntry } from '../src/logs/wire/encode-push.ts'
import type { GeneratedStream, LogGenerator } from '../tools/gen-data.ts'

/** One body of ten is JSON, the others protobuf and snappy. */
const jsonShare = 0.1

export type Body = {
  readonly bytes: Buffer
  readonly rawBytes: number
  readonly lines: number
  readonly isJson: boolean
}

/** Bodies of `bodyBytes` of lines each until there are `wantedBytes`. */
export function makeBodies(generator: LogGenerator, wantedBytes: number, bodyBytes: number): Body[] {
  const { truth } = generator
  const bodies: Body[] = []
  let jsonDebt = 0
  while (truth.bytes < wantedBytes) {
    const { bytes: bytesBefore, lines: linesBefore } = truth
    const streams = new Map<GeneratedStream, PushEntry[]>()
    while (truth.bytes - bytesBefore < bodyBytes && truth.bytes < wantedBytes) {
      const { stream, timeNs, text, metadata } = generator.next()
      const entries = streams.get(stream)
      const entry = { timeNs, line: text, metadata }
      if (entries === undefined) streams.set(stream, [entry])
      else entries.push(entry)
    }
    jsonDebt += jsonShare
    const isJson = jsonDebt >= 1
    if (isJson) jsonDebt -= 1
    const list = [...streams].map(([{ text, labels }, entries]) => ({ text, labels, entries }))
    bodies.push({
      bytes: isJson ? encodePushJson(list) : encodePush(list.map(({ text, entries }) => ({ labels: text, entries }))),
      rawBytes: truth.bytes - bytesBefore,
      lines: truth.lines - linesBefore,
      isJson,
    })
  }
  return bodies
}
