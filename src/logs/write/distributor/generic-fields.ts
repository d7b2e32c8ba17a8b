/**
 * `discover_generic_fields`: structured metadata that is filled from what an entry says anyway. Each name has a list of places to
 * look at, tried in order: a label of the stream, a metadata value, a path in a JSON line (`a.b.c`) or a key of a logfmt line.
 *
 * Unlike the search for levels this makes strings and objects per line: only tenants that ask for it pay.
 */
import { parseJson } from '#/kernel/parse-json.ts'
import { parseLabels } from '#/logs/model/labels.ts'
import type { PushColumns } from '#/logs/write/push/push-columns.ts'

const logfmtPair = /([^\s="]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))/g
/** Lines beyond this are not looked into. */
const maxLineBytes = 65_536

export class GenericFields {
  readonly #fields: readonly (readonly [name: string, hints: readonly string[]])[]
  /** Of the stream before: most rows have the one of the row before. */
  #text = ''
  #labels: ReadonlyMap<string, string> = new Map()

  constructor(fields: Readonly<Record<string, readonly string[]>>) {
    this.#fields = Object.entries(fields)
  }

  get isEmpty(): boolean {
    return this.#fields.length === 0
  }

  /** Calls `found` for each name that has a value. `stream` is the canonical text of the row's stream. */
  discover(columns: PushColumns, row: number, stream: string, found: (name: string, value: string) => void): void {
    const labels = this.#labelsOf(stream)
    const metadata = metadataOf(columns, row)
    let line: ((hint: string) => string | undefined) | undefined
    for (const [name, hints] of this.#fields) {
      const known = firstOf(hints, (hint) => labels.get(hint)) ?? firstOf(hints, (hint) => metadata.get(hint))
      const value = known ?? firstOf(hints, (line ??= lineLookup(columns, row)))
      if (value !== undefined) found(name, value)
    }
  }

  #labelsOf(stream: string): ReadonlyMap<string, string> {
    if (stream !== this.#text) {
      this.#labels = new Map(parseLabels(stream))
      this.#text = stream
    }
    return this.#labels
  }
}

function firstOf(hints: readonly string[], look: (hint: string) => string | undefined): string | undefined {
  for (const hint of hints) {
    const value = look(hint)
    if (value !== undefined && value !== '') return value
  }
  return undefined
}

function metadataOf({ pairs, pairStart, pairCount, pairBytes }: PushColumns, row: number): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>()
  const end = (pairStart[row]! + pairCount[row]!) * 4
  for (let at = pairStart[row]! * 4; at < end; at += 4) {
    const name = pairBytes.toString('utf8', pairs[at]!, pairs[at]! + pairs[at + 1]!)
    metadata.set(name, pairBytes.toString('utf8', pairs[at + 2]!, pairs[at + 2]! + pairs[at + 3]!))
  }
  return metadata
}

/** A look-up by hint in the line of `row`. */
function lineLookup({ bytes, lineStart, lineLength }: PushColumns, row: number): (hint: string) => string | undefined {
  const length = lineLength[row]!
  if (length > maxLineBytes) return () => undefined
  const line = bytes.toString('utf8', lineStart[row]!, lineStart[row]! + length).trim()
  if (line.startsWith('{') && line.endsWith('}')) {
    const document = jsonIn(line)
    return (hint) => valueAt(document, hint)
  }
  const pairs = new Map<string, string>()
  for (const [, key = '', quoted, bare] of line.matchAll(logfmtPair)) {
    if (!pairs.has(key)) pairs.set(key, quoted ?? bare ?? '')
  }
  return (hint) => pairs.get(hint)
}

function jsonIn(line: string): unknown {
  try {
    return parseJson(line)
  } catch {
    return undefined
  }
}

function valueAt(document: unknown, path: string): string | undefined {
  let value = document
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[key]
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}
