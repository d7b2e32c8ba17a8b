/** Writes frames of live tails as Loki's JSON: of the present API, with categories or without, and of the one before. */
import { labelsObject } from './labels-json.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import type { DroppedEntry, TailEntry, TailFrame, TailLabels } from '#/logs/wire/tail.ts'

export type FrameForm = 'v1' | 'legacy'

/** The texts of labels, which many entries share. */
class LabelTexts {
  readonly #texts = new WeakMap<TailLabels, string>()
  readonly #write: (labels: TailLabels) => string

  constructor(write: (labels: TailLabels) => string) {
    this.#write = write
  }

  of(labels: TailLabels): string {
    return this.#texts.getOrInsertComputed(labels, this.#write)
  }
}

const allTexts = new LabelTexts(({ all }) => labelsObject(all))
const streamTexts = new LabelTexts(({ stream }) => labelsObject(stream))
const legacyTexts = new LabelTexts(({ all }) => JSON.stringify(formatLabels(all)))
const extraTexts = new LabelTexts(({ structuredMetadata, parsed }) => {
  const parts: string[] = []
  if (structuredMetadata.length > 0) parts.push(`"structuredMetadata":${labelsObject(structuredMetadata)}`)
  if (parsed.length > 0) parts.push(`"parsed":${labelsObject(parsed)}`)
  return `{${parts.join(',')}}`
})

/** `flags` are those of `X-Loki-Response-Encoding-Flags`. */
export function encodeTailFrame(frame: TailFrame, form: FrameForm, flags: readonly string[]): string {
  if (form === 'legacy') return encodeLegacy(frame)
  const isCategorized = flags.includes('categorize-labels')
  const write = isCategorized ? writeCategorized : writeEntry
  let text = `{"streams":[${frame.entries.map(write).join(',')}]`
  if (frame.dropped.length > 0) {
    const labels = isCategorized ? streamTexts : allTexts
    const dropped = frame.dropped.map((one) => `{"labels":${labels.of(one.labels)},"timestamp":"${one.timeNs}"}`)
    text += `,"dropped_entries":[${dropped.join(',')}]`
  }
  if (flags.length > 0) text += `,"encodingFlags":${JSON.stringify(flags)}`
  return `${text}}`
}

function writeEntry({ timeNs, line, labels }: TailEntry): string {
  return `{"stream":${allTexts.of(labels)},"values":[["${timeNs}",${JSON.stringify(line)}]]}`
}

function writeCategorized({ timeNs, line, labels }: TailEntry): string {
  const value = `["${timeNs}",${JSON.stringify(line)},${extraTexts.of(labels)}]`
  return `{"stream":${streamTexts.of(labels)},"values":[${value}]}`
}

function encodeLegacy({ entries, dropped }: TailFrame): string {
  const streams = entries.map(
    ({ timeNs, line, labels }) =>
      `{"labels":${legacyTexts.of(labels)},"entries":[{"ts":"${rfc3339(timeNs)}","line":${JSON.stringify(line)}}]}`,
  )
  const lost = dropped.map(legacyDropped)
  return `{"streams":[${streams.join(',')}]${lost.length > 0 ? `,"dropped_entries":[${lost.join(',')}]` : ''}}`
}

function legacyDropped({ timeNs, labels }: DroppedEntry): string {
  return `{"Timestamp":"${rfc3339(timeNs)}","Labels":${legacyTexts.of(labels)}}`
}

/** As Go's RFC3339Nano: UTC, without zeros at the end of the fraction. */
function rfc3339(ns: bigint): string {
  return new Temporal.Instant(ns).toString()
}
