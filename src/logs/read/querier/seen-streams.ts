/** Streams of several sources, each kept once: found by a hash of their labels, without an object for each. */
import { hashOfStream, haveSameLabels, type CodedLabels } from '#/storage/index/coded-labels.ts'

const FIRST_SLOTS = 1024

export class SeenStreams {
  count = 0
  readonly #sources: CodedLabels[] = []
  /** Of each stream: the hash of its labels, its source and its number there. */
  #hashes = new Float64Array(FIRST_SLOTS / 2)
  #source = new Uint32Array(FIRST_SLOTS / 2)
  #stream = new Uint32Array(FIRST_SLOTS / 2)
  /** 1 + the position of a stream, 0 where the slot is free. At most half are taken. */
  #slots = new Uint32Array(FIRST_SLOTS)

  /** Those that follow are streams of this source. */
  begin(coded: CodedLabels): void {
    this.#sources.push(coded)
  }

  /** Keeps a stream of the source that was begun last; whether there is no other with the same labels. */
  add(stream: number): boolean {
    const source = this.#sources.length - 1
    const coded = this.#sources[source]!
    const hash = hashOfStream(coded, stream)
    const mask = this.#slots.length - 1
    let slot = (hash >>> 0) & mask
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const at = this.#slots[slot]! - 1
      if (this.#hashes[at] !== hash) continue
      const known = { coded: this.#sources[this.#source[at]!]!, stream: this.#stream[at]! }
      if (haveSameLabels(known, { coded, stream })) return false
    }
    const at = this.count++
    this.#hashes[at] = hash
    this.#source[at] = source
    this.#stream[at] = stream
    this.#slots[slot] = at + 1
    if (this.count === this.#hashes.length) this.#grow()
    return true
  }

  #grow(): void {
    const count = this.count * 2
    this.#hashes = copied(this.#hashes, new Float64Array(count))
    this.#source = copied(this.#source, new Uint32Array(count))
    this.#stream = copied(this.#stream, new Uint32Array(count))
    this.#slots = new Uint32Array(count * 2)
    const mask = this.#slots.length - 1
    for (let at = 0; at < this.count; at++) {
      let slot = (this.#hashes[at]! >>> 0) & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = at + 1
    }
  }
}

function copied<T extends Float64Array | Uint32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
