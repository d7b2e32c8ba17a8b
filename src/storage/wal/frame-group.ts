/** Turns a group of records into the buffers of one write: headers, payloads, padding. */
import { payloadChecksum, RECORD_HEADER_BYTES, recordBytes, writeRecordHeader } from './format.ts'

export type PendingRecord = {
  readonly parts: readonly Uint8Array[]
  readonly payloadBytes: number
  sequence: number
  readonly onDurable: (sequence: number) => void
  readonly resolve: (sequence: number) => void
  readonly reject: (error: unknown) => void
}

/** Smaller payload parts are copied together: a short memcpy costs less than one more buffer in a system call. */
const COPY_BELOW_BYTES = 16 * 1024

/** `position` is where the first record will stand. */
export function frameGroup(
  group: readonly PendingRecord[],
  position: { readonly salt: number; readonly offset: number; readonly syncedBytes: number },
): Uint8Array[] {
  const scratch = new Scratch(group)
  let { offset } = position
  const { salt, syncedBytes } = position
  for (const { parts, payloadBytes, sequence } of group) {
    const payloadCrc = payloadChecksum(parts, salt, offset)
    const header = scratch.take(RECORD_HEADER_BYTES)
    writeRecordHeader(header, 0, { payloadBytes, sequence, syncedBytes, payloadCrc }, { salt, offset })
    for (const part of parts) scratch.add(part)
    scratch.take(recordBytes(payloadBytes) - RECORD_HEADER_BYTES - payloadBytes).fill(0)
    offset += recordBytes(payloadBytes)
  }
  return scratch.finish()
}

/** Small pieces in one buffer, cut at each large part in between. */
class Scratch {
  readonly #bytes: Buffer
  readonly #out: Uint8Array[] = []
  #cut = 0
  #end = 0

  constructor(group: readonly PendingRecord[]) {
    let size = 0
    for (const { parts } of group) {
      size += RECORD_HEADER_BYTES + 8
      for (const { byteLength } of parts) if (byteLength < COPY_BELOW_BYTES) size += byteLength
    }
    this.#bytes = Buffer.allocUnsafe(size)
  }

  take(length: number): Buffer {
    const taken = this.#bytes.subarray(this.#end, this.#end + length)
    this.#end += length
    return taken
  }

  add(part: Uint8Array): void {
    if (part.byteLength < COPY_BELOW_BYTES) {
      this.take(part.byteLength).set(part)
      return
    }
    this.#flush()
    this.#out.push(part)
  }

  finish(): Uint8Array[] {
    this.#flush()
    return this.#out
  }

  #flush(): void {
    if (this.#end > this.#cut) this.#out.push(this.#bytes.subarray(this.#cut, this.#end))
    this.#cut = this.#end
  }
}
