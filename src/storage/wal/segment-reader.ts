/**
 * Reads a segment from front to end: records, and the stretches between them that cannot be read. Memory is one window, or
 * the longest record if that is longer.
 */
import { RECORD_ALIGNMENT, RECORD_HEADER_BYTES, SEGMENT_HEADER_BYTES } from './format.ts'
import {
  decodeSegmentHeader,
  findMarker,
  MAX_PAYLOAD_BYTES,
  payloadChecksum,
  readRecordHeader,
  type SegmentHeader,
} from './format.ts'
import type { Disk, ReadFile } from '#/kernel/world.ts'

const WINDOW_BYTES = 4 * 1024 * 1024

export type ScanItem = ScannedRecord | UnreadableRange

export type ScannedRecord = {
  readonly kind: 'record'
  /** Where the record's header stands. */
  readonly offset: number
  readonly endOffset: number
  readonly sequence: number
  readonly syncedBytes: number
  /** Valid until the next item is asked for; its memory is aligned to 8 bytes. */
  readonly payload: Buffer
}

/** Bytes [offset, endOffset) are no record. */
export type UnreadableRange = {
  readonly kind: 'unreadable'
  readonly offset: number
  readonly endOffset: number
  readonly what: string
}

export class SegmentReader implements AsyncDisposable {
  readonly path: string
  /** Undefined when neither copy can be read: then no record can be either. */
  readonly header: SegmentHeader | undefined
  readonly isHeaderDamaged: boolean
  readonly sizeBytes: number
  readonly #window: Window

  private constructor(path: string, window: Window, headerBytes: Buffer) {
    const decoded = decodeSegmentHeader(headerBytes)
    this.path = path
    this.sizeBytes = window.sizeBytes
    this.header = decoded?.header
    this.isHeaderDamaged = decoded?.isDamaged ?? true
    this.#window = window
  }

  static async open(disk: Disk, path: string): Promise<SegmentReader> {
    const window = new Window(await disk.openRead(path))
    try {
      return new SegmentReader(path, window, await window.view(0, SEGMENT_HEADER_BYTES))
    } catch (error) {
      await window.close()
      throw error
    }
  }

  /** Everything behind the header, in order. Sequences ascend, from behind `afterSequence`: others are not ours. */
  async *scan(afterSequence = -1): AsyncGenerator<ScanItem> {
    let offset = SEGMENT_HEADER_BYTES
    let lastSequence = Math.max(afterSequence, (this.header?.firstSequence ?? 0) - 1)
    let badFrom = -1
    let badWhat = ''
    while (offset < this.sizeBytes) {
      const found = await this.#recordAt(offset, lastSequence)
      if (found.kind === 'record') {
        if (badFrom >= 0) yield { kind: 'unreadable', offset: badFrom, endOffset: offset, what: badWhat }
        badFrom = -1
        lastSequence = found.sequence
        yield found
      } else if (badFrom < 0) {
        badFrom = offset
        badWhat = found.what
      }
      offset = found.endOffset
    }
    if (badFrom >= 0) yield { kind: 'unreadable', offset: badFrom, endOffset: this.sizeBytes, what: badWhat }
  }

  /** The record at `offset`, or what is wrong there and where to go on looking. */
  async #recordAt(offset: number, lastSequence: number): Promise<ScanItem> {
    const unreadable = (endOffset: number, what: string): UnreadableRange => ({
      kind: 'unreadable',
      offset,
      endOffset: Math.min(endOffset, this.sizeBytes),
      what,
    })
    if (this.header === undefined) return unreadable(this.sizeBytes, 'the segment header is unreadable')
    const { salt } = this.header
    const header = readRecordHeader(await this.#window.view(offset, RECORD_HEADER_BYTES), salt, offset)
    if (header === undefined || header.payloadBytes > MAX_PAYLOAD_BYTES) {
      return unreadable(await this.#nextMarker(offset + RECORD_ALIGNMENT), 'no record header with a right checksum')
    }
    const payloadAt = offset + RECORD_HEADER_BYTES
    const payloadEnd = payloadAt + header.payloadBytes
    // the header can be trusted, but where the file ends early or is overwritten other records may still stand behind it
    if (payloadEnd > this.sizeBytes) {
      return unreadable(
        await this.#nextMarker(offset + RECORD_ALIGNMENT),
        `a record of ${header.payloadBytes} bytes ends beyond the file`,
      )
    }
    const endOffset = Math.ceil(payloadEnd / RECORD_ALIGNMENT) * RECORD_ALIGNMENT
    if (header.sequence <= lastSequence) {
      return unreadable(endOffset, `sequence ${header.sequence} does not follow ${lastSequence}`)
    }
    const payload = await this.#window.view(payloadAt, header.payloadBytes)
    if (payloadChecksum([payload], salt, offset) !== header.payloadCrc) {
      return unreadable(endOffset, `the checksum of a record of ${header.payloadBytes} bytes is wrong`)
    }
    const { sequence, syncedBytes } = header
    return { kind: 'record', offset, endOffset, sequence, syncedBytes, payload }
  }

  async #nextMarker(from: number): Promise<number> {
    for (let offset = from; offset < this.sizeBytes; offset += WINDOW_BYTES) {
      const found = findMarker(await this.#window.view(offset, Math.min(WINDOW_BYTES, this.sizeBytes - offset)), 0)
      if (found >= 0) return offset + found
    }
    return this.sizeBytes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#window.close()
  }
}

/** A part of a file in memory. */
class Window {
  readonly sizeBytes: number
  readonly #file: ReadFile
  #bytes = Buffer.allocUnsafeSlow(0)
  #start = 0
  #length = 0

  constructor(file: ReadFile) {
    this.#file = file
    this.sizeBytes = file.sizeBytes
  }

  /** Bytes from `offset`, fewer at the end of the file; valid until the next call. Aligned when `offset` is. */
  async view(offset: number, length: number): Promise<Buffer> {
    const end = Math.min(offset + length, this.sizeBytes)
    if (offset < this.#start || end > this.#start + this.#length) await this.#load(offset, end - offset)
    return this.#bytes.subarray(offset - this.#start, Math.max(offset, end) - this.#start)
  }

  async #load(offset: number, length: number): Promise<void> {
    const start = offset - (offset % RECORD_ALIGNMENT)
    const wanted = Math.min(Math.max(WINDOW_BYTES, length + RECORD_ALIGNMENT), this.sizeBytes - start)
    // a window that one long record made is given back as soon as it is not needed
    if (this.#bytes.length < wanted || this.#bytes.length > Math.max(2 * wanted, WINDOW_BYTES)) {
      this.#bytes = Buffer.allocUnsafeSlow(wanted)
    }
    this.#length = await this.#file.read(this.#bytes.subarray(0, wanted), start)
    this.#start = start
    if (this.#length < wanted) throw new Error(`the file ended at byte ${start + this.#length} while it was read`)
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
