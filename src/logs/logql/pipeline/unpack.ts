/** `| unpack`: undoes the packing of collectors: string members become labels, `_entry` the line. */
import { unescapeJson } from '#/kernel/json-text.ts'
import { JsonScanner, type JsonSink } from '#/kernel/json-scan.ts'
import { KeyTable } from '#/kernel/key-table.ts'
import { utf8Text } from '#/kernel/buffer-text.ts'
import { JSON_ERROR } from './json.ts'
import type { NeededLabels, Row, RowStage } from './row.ts'
import { WantedLabels } from './wanted-labels.ts'

const ENTRY_KEY = '_entry'
const OPEN_OBJECT = 0x7b
const QUOTE = 0x22

export function compileUnpack(needed: NeededLabels): RowStage {
  const wanted = new WantedLabels(needed)
  const scanner = new JsonScanner(new KeyTable({ value: () => true, children: () => false }, 'json'))
  const sink = new MemberSink()
  return (row) => {
    if (row.bytes[row.start] !== OPEN_OBJECT || row.start === row.end) {
      row.setError(JSON_ERROR, 'expecting json object(6), but it is not')
      return true
    }
    sink.enter(row)
    const fault = scanner.scan(row.bytes, row.start, row.end, sink)
    if (fault !== undefined) row.setError(JSON_ERROR, fault)
    else if (sink.line !== undefined) {
      for (const [name, value] of sink.members) {
        const target = wanted.value(name) ? wanted.target(row, name) : undefined
        if (target !== undefined) row.setParsed(target, value)
      }
      row.setLine(sink.line)
    }
    return true
  }
}

/** Collects the string members; nothing is set before it is known that there is an entry. */
class MemberSink implements JsonSink {
  readonly members: [name: string, value: string][] = []
  line: string | undefined
  #row: Row | undefined

  enter(row: Row): void {
    this.#row = row
    this.members.length = 0
    this.line = undefined
  }

  value(name: string, escaped: boolean, start: number, end: number): boolean {
    const { bytes } = this.#row!
    if (bytes[start - 1] !== QUOTE) return true
    const raw = utf8Text(bytes, start, end)
    const text = escaped ? (unescapeJson(raw) ?? '') : raw
    if (name === ENTRY_KEY) this.line = text
    else this.members.push([name, text])
    return true
  }

  mark(): void {}
  rollback(): void {}
}
