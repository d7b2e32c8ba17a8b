/**
 * The keys of log lines, learned once: from the bytes of a key (and the object that it stands in) to the label name that it
 * becomes and whether anybody wants it. Lines of one program repeat their keys, so after the first line a key costs a hash
 * and a comparison of bytes, and no string.
 *
 * Ids are positions in `names`; the root object has id 0. An id is good until the next `prepare`, which callers run between
 * lines and which empties the table when it has grown too large: no line, however strange, makes it larger than itself.
 */
import { internText } from './intern.ts'
import { unescapeJson } from './json-text.ts'
import { fixLeadingDigit, sanitizeNamePart } from './label-name.ts'

/** Beyond either, the table is emptied before the next line. */
const MAX_KEYS = 4096
const MAX_KEY_BYTES = 1 << 20
const FIRST_SLOTS = 1024
const BACKSLASH = 0x5c

export const ROOT_KEY = 0
const WANTS_VALUE = 1
const WANTS_CHILDREN = 2

export interface KeyWishes {
  /** Whether a label of this name (sanitised, complete) is wanted. */
  value(name: string): boolean
  /** Whether a label is wanted whose name begins with `prefix`, an underscore and more. */
  children(prefix: string): boolean
}

export class KeyTable {
  readonly #wishes: KeyWishes
  readonly #hasEscapes: boolean
  /** Complete label name of each key, ready to be set. */
  readonly names: string[] = []
  readonly #prefixes: string[] = []
  readonly #flags: number[] = []
  readonly #parents: number[] = []
  readonly #hashes: number[] = []
  readonly #bytes: Uint8Array[] = []
  #byteCount = 0
  /** Open addressing, at most half full: id + 1, or 0. */
  #slots = new Int32Array(FIRST_SLOTS)

  /** `json`: keys may have escapes in them. */
  constructor(wishes: KeyWishes, syntax: 'json' | 'plain') {
    this.#wishes = wishes
    this.#hasEscapes = syntax === 'json'
    this.#clear()
  }

  /** To be called before each line. */
  prepare(): void {
    if (this.names.length > MAX_KEYS || this.#byteCount > MAX_KEY_BYTES) this.#clear()
  }

  /** The id of the key `bytes[start, end)` in the object `parent`. */
  find(bytes: Uint8Array, start: number, end: number, parent: number): number {
    let hash = parent
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
    const mask = this.#slots.length - 1
    for (let slot = slotOf(hash, mask); ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot]! - 1
      if (id < 0) {
        this.#slots[slot] = this.#learn(Uint8Array.from(bytes.subarray(start, end)), parent, hash) + 1
        if (this.names.length * 2 > this.#slots.length) this.#grow()
        return this.names.length - 1
      }
      if (this.#hashes[id] === hash && this.#parents[id] === parent && this.#isKey(id, bytes, start, end)) return id
    }
  }

  /** The size of key `id` when it stands at `bytes[start]`, in the object `parent`, with `behind` after it; else -1. */
  sizeAt(id: number, bytes: Uint8Array, start: number, parent: number, behind: number): number {
    if (id === ROOT_KEY || id >= this.names.length || this.#parents[id] !== parent) return -1
    const kept = this.#bytes[id]!
    const { length } = kept
    if (bytes[start + length] !== behind) return -1
    for (let i = 0; i < length; i++) if (kept[i] !== bytes[start + i]) return -1
    return length
  }

  wantsValue(id: number): boolean {
    return (this.#flags[id]! & WANTS_VALUE) !== 0
  }

  wantsChildren(id: number): boolean {
    return (this.#flags[id]! & WANTS_CHILDREN) !== 0
  }

  #isKey(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const kept = this.#bytes[id]!
    if (kept.length !== end - start) return false
    for (let i = 0; i < kept.length; i++) if (kept[i] !== bytes[start + i]) return false
    return true
  }

  /** `raw` is the table's own from here on. */
  #learn(raw: Uint8Array, parent: number, hash: number): number {
    const text = Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString()
    const key = this.#hasEscapes && raw.includes(BACKSLASH) ? (unescapeJson(text) ?? '') : text
    const part = sanitizeNamePart(key)
    const above = this.#prefixes[parent]!
    const prefix = part === '' ? above : above === '' ? part : `${above}_${part}`
    const name = internText(fixLeadingDigit(prefix))
    const wantsValue = part !== '' && this.#wishes.value(name)
    this.names.push(name)
    this.#prefixes.push(prefix)
    this.#flags.push((wantsValue ? WANTS_VALUE : 0) | (this.#wishes.children(name) ? WANTS_CHILDREN : 0))
    this.#parents.push(parent)
    this.#hashes.push(hash)
    this.#bytes.push(raw)
    this.#byteCount += raw.length + name.length
    return this.names.length - 1
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    for (let id = 1; id < this.names.length; id++) {
      let slot = slotOf(this.#hashes[id]!, mask)
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = id + 1
    }
    this.#slots = slots
  }

  #clear(): void {
    for (const column of [this.names, this.#prefixes, this.#flags, this.#parents, this.#hashes, this.#bytes])
      column.length = 0
    this.#byteCount = 0
    this.#slots = new Int32Array(FIRST_SLOTS)
    this.names.push('')
    this.#prefixes.push('')
    this.#flags.push(WANTS_CHILDREN)
    this.#parents.push(ROOT_KEY)
    this.#hashes.push(0)
    this.#bytes.push(new Uint8Array(0))
  }
}

function slotOf(hash: number, mask: number): number {
  return (hash ^ (hash >>> 15)) & mask
}
