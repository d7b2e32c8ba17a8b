/** `| json`: members of the line become labels. */
import { jsonFaults, JsonScanner, type JsonSink } from '#/kernel/json-scan.ts'
import { KeyTable } from '#/kernel/key-table.ts'
import type { Row, RowStage, NeededLabels } from './row.ts'
import { hasGap, type SampleLine } from './sample-line.ts'
import { TextFields } from './text-fields.ts'
import { textLayouts, type ReadSample, type SampleField } from './text-layouts.ts'
import { WantedLabels } from './wanted-labels.ts'

export const JSON_ERROR = 'JSONParserErr'

export function compileJson(needed: NeededLabels): RowStage {
  const wanted = new WantedLabels(needed)
  if (wanted.isEmpty) return () => true
  const scanner = new JsonScanner(new KeyTable(wanted, 'json'))
  const sink = new LabelSink(wanted)
  const key = `json ${wanted.key}`
  const texts = needed === 'all' ? undefined : new TextFields(() => textLayouts(key, () => sampleReader(wanted)))
  const stage = (row: Row): boolean => {
    const known = texts?.layoutOf(row)
    if (known !== undefined) {
      wanted.setFields(row, known.fields)
      if (known.fault !== undefined) row.setError(JSON_ERROR, known.fault)
      return true
    }
    sink.enter(row)
    const fault = scanner.scan(row.bytes, row.start, row.end, sink)
    if (fault !== undefined) row.setError(JSON_ERROR, fault)
    return true
  }
  return Object.assign(stage, { texts })
}

/**
 * Knows nothing of objects with a fault, with escapes in wanted values, or with keys that are not all the same and
 * may be wanted.
 */
function sampleReader(wanted: WantedLabels): ReadSample {
  const keys = new WatchedKeys(wanted, 'json')
  const { haveDigits } = wanted
  const scanner = new JsonScanner(keys)
  return (sample) => {
    if (!isObject(sample)) return { fields: [], fault: jsonFaults.object }
    const found: SampleField[] = []
    let isPlain = true
    keys.watch(sample)
    const fault = scanner.scan(sample.bytes, 0, sample.size, {
      value(name, escaped, start, end) {
        if (escaped) isPlain = false
        found.push({ name, start, end })
        return true
      },
      mark: () => undefined,
      rollback: () => undefined,
    })
    return fault === undefined && isPlain && !(haveDigits && keys.haveGaps) ? { fields: found } : undefined
  }
}

/** Whether the first byte that is no blank is a brace, which is never cut out. */
function isObject({ bytes, size }: SampleLine): boolean {
  let at = 0
  while (at < size && (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09)) at++
  return at < size && bytes[at] === 0x7b
}

/** Tells whether something was cut out of keys. */
class WatchedKeys extends KeyTable {
  #sample: SampleLine = { bytes: Buffer.alloc(0), size: 0, text: Buffer.alloc(0) }
  haveGaps = false

  watch(sample: SampleLine): void {
    this.#sample = sample
    this.haveGaps = false
  }

  override find(bytes: Uint8Array, start: number, end: number, parent: number): number {
    if (hasGap(this.#sample, start, end)) this.haveGaps = true
    return super.find(bytes, start, end, parent)
  }

  override sizeAt(id: number, bytes: Uint8Array, start: number, parent: number, behind: number): number {
    const size = super.sizeAt(id, bytes, start, parent, behind)
    if (size >= 0 && hasGap(this.#sample, start, start + size)) this.haveGaps = true
    return size
  }
}

class LabelSink implements JsonSink {
  readonly #wanted: WantedLabels
  #row: Row | undefined
  #found = 0
  #mark = 0
  #foundAtMark = 0

  constructor(wanted: WantedLabels) {
    this.#wanted = wanted
  }

  enter(row: Row): void {
    this.#row = row
    this.#found = 0
  }

  value(name: string, escaped: boolean, start: number, end: number): boolean {
    const row = this.#row!
    const target = this.#wanted.target(row, name)
    if (target === undefined) return true
    row.addParsedRange(target, escaped ? 'json' : 'plain', start, end)
    return ++this.#found < this.#wanted.limit
  }

  mark(): void {
    this.#mark = this.#row!.parsedCount
    this.#foundAtMark = this.#found
  }

  rollback(): void {
    this.#row!.truncateParsed(this.#mark)
    this.#found = this.#foundAtMark
  }
}
