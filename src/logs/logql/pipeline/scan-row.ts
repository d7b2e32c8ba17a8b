/**
 * The one `Row` of a pipeline, set to entry after entry. Nothing is allocated for an entry but the strings that somebody
 * asks for: parsed labels remember where in the line their value lies (`setParsedRange`) and are decoded on first reading.
 */
import { utf8Text } from '#/kernel/buffer-text.ts'
import { unescapeJson, unescapeLogfmt } from '#/kernel/json-text.ts'
import { readDecimal, readDecimalText } from '#/kernel/read-decimal.ts'
import type { TextCache } from '#/kernel/text-cache.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import type { CutField } from './cut-field.ts'
import type { LabelCategory, PipelineEntry, Row, ValueEncoding } from './row.ts'
import { ERROR_DETAILS_LABEL, ERROR_LABEL, MetaView, StreamViews, type StreamLabels } from './stream-view.ts'
import type { CutNumbers } from '#/storage/column/cut-numbers.ts'
import type { Labels } from '#/storage/index/label-index.ts'

const noLabels: Labels = []
const noOffsets = new Uint32Array(0)
const noTimes = new Float64Array(0)

export class ScanRow implements Row {
  start = 0
  end = 0
  time = 0
  day = 0
  readonly #texts: TextCache
  readonly #streams = new StreamViews()
  readonly #meta = new MetaView()
  #page: LogPage | undefined
  /** Columns of the page. */
  #lineStart: Uint32Array = noOffsets
  #times: Float64Array = noTimes
  #knownNumbers: CutNumbers | undefined
  position = 0
  #labels: Labels = noLabels
  #stream: StreamLabels = new Map()
  #ownLine: Buffer | undefined
  #lineText: string | undefined
  #error = ''
  #errorDetails = ''
  /** Stream labels and metadata that a stage removed. */
  readonly #hidden: string[] = []
  // parsed labels in columns; a value is decoded from its source when `#values` has none yet
  #parsedCount = 0
  readonly #names: string[] = []
  readonly #values: (string | undefined)[] = []
  readonly #sources: (Buffer | undefined)[] = []
  /** Instead of a source. */
  readonly #fields: (CutField | undefined)[] = []
  readonly #encodings: ValueEncoding[] = []
  readonly #starts: number[] = []
  readonly #ends: number[] = []

  constructor(texts: TextCache) {
    this.#texts = texts
  }

  /** Turns to another entry; everything about the one before is forgotten. */
  reset(entry: PipelineEntry): void {
    const { page, row } = entry
    if (page !== this.#page) this.#enter(page)
    this.position = row
    this.start = this.#lineStart[row]!
    this.end = this.#lineStart[row + 1]!
    this.time = this.#times[row]!
    this.day = entry.day
    this.#ownLine = undefined
    this.#lineText = undefined
    this.#parsedCount = 0
    this.#hidden.length = 0
    if (entry.streamLabels !== this.#labels) {
      this.#labels = entry.streamLabels
      this.#stream = this.#streams.get(entry.streamLabels)
    }
    this.#error = (this.#meta.hasErrors && this.#meta.raw(ERROR_LABEL, row)) || ''
    this.#errorDetails = (this.#meta.hasErrors && this.#meta.raw(ERROR_DETAILS_LABEL, row)) || ''
  }

  #enter(page: LogPage): void {
    this.#page = page
    this.#meta.enter(page)
    this.#lineStart = page.lineStart
    this.#times = page.time
    this.#knownNumbers = undefined
  }

  /** Forgets the entry and its page, whose memory others may want. */
  leave(): void {
    this.#page = undefined
    this.#meta.leave()
    this.#lineStart = noOffsets
    this.#times = noTimes
    this.#knownNumbers = undefined
    this.#ownLine = undefined
    this.#lineText = undefined
    this.#parsedCount = 0
    this.#sources.length = 0
    this.#fields.length = 0
  }

  get #numbers(): CutNumbers {
    return (this.#knownNumbers ??= this.#page!.cutNumbers!)
  }

  get page(): LogPage | undefined {
    return this.#ownLine === undefined ? this.#page : undefined
  }

  get bytes(): Buffer {
    return this.#ownLine ?? this.#page!.lines
  }

  lineText(): string {
    return (this.#lineText ??= utf8Text(this.bytes, this.start, this.end))
  }

  isAsciiLine(): boolean {
    // other runes take more bytes than units, and bytes that are no UTF-8 become U+FFFD
    const text = this.lineText()
    return text.length === this.end - this.start && !text.includes('\ufffd')
  }

  setLine(text: string): void {
    this.#lineText = undefined
    this.#ownLine = Buffer.from(text)
    this.start = 0
    this.end = this.#ownLine.length
  }

  get(name: string): string | undefined {
    const at = this.#find(name)
    if (at >= 0) return this.#values[at] ?? this.#decode(at)
    if (name === ERROR_LABEL) return this.#error === '' ? undefined : this.#error
    if (name === ERROR_DETAILS_LABEL) return this.#errorDetails === '' ? undefined : this.#errorDetails
    if (this.#hidden.length > 0 && this.#hidden.includes(name)) return undefined
    return this.#meta.get(name, this.position, this.#stream) ?? this.#stream.get(name)
  }

  has(name: string): boolean {
    return this.#find(name) >= 0 || this.get(name) !== undefined
  }

  decimalOf(name: string): number {
    const at = this.#find(name)
    if (at < 0) return NaN
    const value = this.#values[at]
    if (value !== undefined) return readDecimalText(value)
    const encoding = this.#encodings[at]
    const field = this.#fields[at]
    if (field !== undefined) return field.decimalOf(this.#numbers, this.position)
    if (encoding !== 'plain' && encoding !== 'raw') return NaN
    return readDecimal(this.#sources[at]!, this.#starts[at]!, this.#ends[at]!)
  }

  hasBase(name: string): boolean {
    if (this.#stream.has(name)) return true
    if (this.#meta.isEmpty || this.#meta.get(name, this.position, this.#stream) === undefined) return false
    // a parsed label takes the place of metadata of the same name
    return !this.#hidden.includes(name) && this.#find(name) < 0
  }

  hasParsed(name: string): boolean {
    return this.#find(name) >= 0
  }

  setParsed(name: string, value: string): void {
    const at = this.#slot(name)
    this.#values[at] = value
    this.#sources[at] = undefined
    this.#fields[at] = undefined
  }

  setParsedRange(name: string, encoding: ValueEncoding, start: number, end: number): void {
    this.#setRange(this.#slot(name), encoding, start, end)
  }

  addParsedRange(name: string, encoding: ValueEncoding, start: number, end: number): void {
    const at = this.#parsedCount++
    this.#names[at] = name
    this.#setRange(at, encoding, start, end)
  }

  addParsedField(name: string, field: CutField): void {
    const at = this.#parsedCount++
    this.#names[at] = name
    this.#values[at] = undefined
    this.#fields[at] = field
  }

  #setRange(at: number, encoding: ValueEncoding, start: number, end: number): void {
    this.#values[at] = undefined
    this.#sources[at] = this.bytes
    this.#fields[at] = undefined
    this.#encodings[at] = encoding
    this.#starts[at] = start
    this.#ends[at] = end
  }

  remove(name: string): void {
    if (name === ERROR_LABEL) this.#error = ''
    else if (name === ERROR_DETAILS_LABEL) this.#errorDetails = ''
    const at = this.#find(name)
    if (at >= 0) this.#removeParsed(at)
    this.#hide(name)
  }

  removeExcept(isKept: (row: Row, name: string) => boolean): void {
    let kept = 0
    for (let at = 0; at < this.#parsedCount; at++) {
      const name = this.#names[at]!
      if (isKept(this, name)) this.#moveParsed(at, kept++)
      else this.#hide(name)
    }
    this.#parsedCount = kept
    for (const name of this.#stream.keys()) if (this.#find(name) < 0 && !isKept(this, name)) this.#hide(name)
    this.#meta.forEach(this.position, this.#stream, (name) => {
      if (this.#find(name) < 0 && !isKept(this, name)) this.#hide(name)
    })
  }

  /** From now on what the stream and the metadata have under this name is not seen. */
  #hide(name: string): void {
    if (this.#meta.isEmpty && !this.#stream.has(name)) return
    if (!this.#hidden.includes(name)) this.#hidden.push(name)
  }

  setError(error: string, details: string): void {
    this.#error = error
    this.#errorDetails = details
  }

  /** How many labels are parsed, for {@link truncateParsed}. */
  get parsedCount(): number {
    return this.#parsedCount
  }

  /** Takes back the labels parsed since there were `count`. */
  truncateParsed(count: number): void {
    this.#parsedCount = Math.min(this.#parsedCount, count)
  }

  forEachLabel(visit: (name: string, value: string, category: LabelCategory) => void): void {
    const isCovered = (name: string): boolean => this.#hidden.includes(name) || this.#find(name) >= 0
    for (const [name, value] of this.#stream) if (!isCovered(name)) visit(name, value, 'stream')
    this.#meta.forEach(this.position, this.#stream, (name, value) => {
      if (!isCovered(name)) visit(name, value, 'metadata')
    })
    for (let at = 0; at < this.#parsedCount; at++) {
      visit(this.#names[at]!, this.#values[at] ?? this.#decode(at), 'parsed')
    }
    if (this.#error !== '') visit(ERROR_LABEL, this.#error, 'parsed')
    if (this.#errorDetails !== '') visit(ERROR_DETAILS_LABEL, this.#errorDetails, 'parsed')
  }

  #find(name: string): number {
    const names = this.#names
    for (let at = 0; at < this.#parsedCount; at++) if (names[at] === name) return at
    return -1
  }

  #slot(name: string): number {
    const known = this.#find(name)
    if (known >= 0) return known
    const at = this.#parsedCount++
    this.#names[at] = name
    return at
  }

  #removeParsed(at: number): void {
    const last = --this.#parsedCount
    for (let i = at; i < last; i++) this.#moveParsed(i + 1, i)
  }

  #moveParsed(from: number, to: number): void {
    if (from === to) return
    this.#names[to] = this.#names[from]!
    this.#values[to] = this.#values[from]
    this.#sources[to] = this.#sources[from]
    this.#fields[to] = this.#fields[from]
    this.#encodings[to] = this.#encodings[from]!
    this.#starts[to] = this.#starts[from]!
    this.#ends[to] = this.#ends[from]!
  }

  #decode(at: number): string {
    const field = this.#fields[at]
    if (field !== undefined) return (this.#values[at] = field.textOf(this.#numbers, this.position))
    const raw = this.#texts.get(this.#sources[at]!, this.#starts[at]!, this.#ends[at]!)
    const encoding = this.#encodings[at]!
    const text = encoding === 'json' ? unescapeJson(raw) : encoding === 'logfmt' ? unescapeLogfmt(raw) : raw
    const clean = encoding !== 'raw' && text?.includes('\ufffd') ? text.replaceAll('\ufffd', ' ') : (text ?? '')
    this.#values[at] = clean
    return clean
  }
}
