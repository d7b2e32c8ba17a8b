/** `| json`: members of the line become labels. */
import { JsonScanner, type JsonSink } from '#/kernel/json-scan.ts'
import { KeyTable } from '#/kernel/key-table.ts'
import type { Row, RowStage, NeededLabels } from './row.ts'
import { WantedLabels } from './wanted-labels.ts'

export const JSON_ERROR = 'JSONParserErr'

export function compileJson(needed: NeededLabels): RowStage {
  const wanted = new WantedLabels(needed)
  if (wanted.isEmpty) return () => true
  const scanner = new JsonScanner(new KeyTable(wanted, 'json'))
  const sink = new LabelSink(wanted)
  return (row) => {
    sink.enter(row)
    const fault = scanner.scan(row.bytes, row.start, row.end, sink)
    if (fault !== undefined) row.setError(JSON_ERROR, fault)
    return true
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
