/**
 * The one `Row` of a pipeline, set to entry after entry. Nothing is allocated for an entry but the strings that somebody
 * asks for: parsed labels remember where in the line their value lies (`setParsedRange`) and are decoded on first reading.
 */
import { utf8Text } from '#/kernel/buffer-text.ts'
import { unescapeJson, unescapeLogfmt } from '#/kernel/json-text.ts'
import type { TextCache } from '#/kernel/text-cache.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import type { LabelCategory, PipelineEntry, Row, ValueEncoding } from './row.ts'
import { ERROR_DETAILS_LABEL, ERROR_LABEL, MetaView, StreamViews, type StreamLabels } from './stream-view.ts'
import type { Labels } from '#/storage/index/label-index.ts'

const ZERO = 0x30
const MAX_DIGITS = 15
const noLabels: Labels = []

export class ScanRow implements Row {
  start = 0
  end = 0
  time = 0
  day = 0
  readonly #texts: TextCache
  readonly #streams = new StreamViews()
  readonly #meta = new MetaView()
  #page: LogPage | undefined
  #position = 0
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
  readonly #encodings: ValueEncoding[] = []
  readonly #starts: number[] = []
  readonly #ends: number[] = []

  constructor(texts: TextCache) {
    this.#texts = texts
  }

  /** Turns to another entry; everything about the one before is forgotten. */
  reset(entry: PipelineEntry): void {
    const { page, row } = entry
    this.#page = page
    this.#meta.enter(page)
    this.#position = row
    this.start = page.lineStart[row]!
    this.end = page.lineStart[row + 1]!
    this.time = page.time[row]!
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

  get bytes(): Buffer {
    return this.#ownLine ?? this.#page!.lines
  }

  lineText(): string {
    return (this.#lineText ??= utf8Text(this.bytes, this.start, this.end))
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
    return this.#meta.get(name, this.#position, this.#stream) ?? this.#stream.get(name)
  }

  has(name: string): boolean {
    return this.#find(name) >= 0 || this.get(name) !== undefined
  }

  digitsOf(name: string): number {
    const at = this.#find(name)
    if (at < 0 || this.#values[at] !== undefined || this.#encodings[at] !== 'plain') return -1
    const bytes = this.#sources[at]!
    const end = this.#ends[at]!
    let i = this.#starts[at]!
    if (i === end || end - i > MAX_DIGITS) return -1
    let value = 0
    for (; i < end; i++) {
      const digit = bytes[i]! - ZERO
      if (digit < 0 || digit > 9) return -1
      value = value * 10 + digit
    }
    return value
  }

  hasBase(name: string): boolean {
    if (this.#stream.has(name)) return true
    if (this.#meta.isEmpty || this.#meta.get(name, this.#position, this.#stream) === undefined) return false
    return !this.#hidden.includes(name)
  }

  hasParsed(name: string): boolean {
    return this.#find(name) >= 0
  }

  setParsed(name: string, value: string): void {
    const at = this.#slot(name)
    this.#values[at] = value
    this.#sources[at] = undefined
  }

  setParsedRange(name: string, encoding: ValueEncoding, start: number, end: number): void {
    const at = this.#slot(name)
    this.#values[at] = undefined
    this.#sources[at] = this.bytes
    this.#encodings[at] = encoding
    this.#starts[at] = start
    this.#ends[at] = end
  }

  remove(name: string): void {
    if (name === ERROR_LABEL) this.#error = ''
    else if (name === ERROR_DETAILS_LABEL) this.#errorDetails = ''
    const at = this.#find(name)
    if (at >= 0) this.#removeParsed(at)
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
    this.#meta.forEach(this.#position, this.#stream, (name, value) => {
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
    for (let i = at; i < last; i++) {
      this.#names[i] = this.#names[i + 1]!
      this.#values[i] = this.#values[i + 1]
      this.#sources[i] = this.#sources[i + 1]
      this.#encodings[i] = this.#encodings[i + 1]!
      this.#starts[i] = this.#starts[i + 1]!
      this.#ends[i] = this.#ends[i + 1]!
    }
  }

  #decode(at: number): string {
    const raw = this.#texts.get(this.#sources[at]!, this.#starts[at]!, this.#ends[at]!)
    const encoding = this.#encodings[at]!
    const text = encoding === 'plain' ? raw : ((encoding === 'json' ? unescapeJson : unescapeLogfmt)(raw) ?? '')
    const clean = text.includes('\ufffd') ? text.replaceAll('\ufffd', ' ') : text
    this.#values[at] = clean
    return clean
  }
}
