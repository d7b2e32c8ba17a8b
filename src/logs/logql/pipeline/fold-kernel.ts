/**
 * The search of ./fold-search.ts over many bytes, in WebAssembly: sixteen places at a time, by the first and the last letter of the
 * needle; where both fit, the rest is compared. One instance for each thread, which sees a piece of the bytes at a time.
 */
import { assembleWasm, layoutMemory, type WasmFunction } from '#/kernel/wasm-text.ts'

/** Places that are looked at in one go. */
export const CHUNK_BYTES = 128 * 1024
/** Longer needles are searched without the kernel. */
export const MAX_KERNEL_NEEDLE = 256
/** What one step may read beyond its end. */
const SLACK = 64
const WORD = 4

const at = layoutMemory({
  /** Bytes in lower case. */
  lower: 256,
  needle: MAX_KERNEL_NEEDLE,
  text: CHUNK_BYTES + MAX_KERNEL_NEEDLE + SLACK,
  /** Addresses in `text`. */
  hits: CHUNK_BYTES * WORD,
  end: 0,
})

const text = `
;; Writes the places in [$from, $to) where the needle stands to hits; returns how many.
(func $foldedHits (param $from i32) (param $to i32) (param $length i32) (result i32)
  (local $case v128) (local $first v128) (local $last v128) (local $mask i32) (local $p i32) (local $i i32) (local $out i32)
  (local.set $case (i8x16.splat (i32.const 32)))
  (local.set $first (i8x16.splat (i32.or (i32.const 32) (i32.load8_u (i32.const ${at.needle})))))
  (local.set $last (i8x16.splat (i32.or (i32.const 32)
    (i32.load8_u offset=${at.needle} (i32.sub (local.get $length) (i32.const 1))))))
  (local.set $out (i32.const ${at.hits}))
  (block $done (loop $next
    (br_if $done (i32.ge_u (local.get $from) (local.get $to)))
    (local.set $mask (i8x16.bitmask (v128.and
      (i8x16.eq (local.get $first) (v128.or (local.get $case) (v128.load (local.get $from))))
      (i8x16.eq (local.get $last) (v128.or (local.get $case)
        (v128.load (i32.add (local.get $from) (i32.sub (local.get $length) (i32.const 1)))))))))
    (block $clear (loop $candidate
      (br_if $clear (i32.eqz (local.get $mask)))
      (local.set $p (i32.add (local.get $from) (i32.ctz (local.get $mask))))
      (br_if $clear (i32.ge_u (local.get $p) (local.get $to)))
      (local.set $mask (i32.and (local.get $mask) (i32.sub (local.get $mask) (i32.const 1))))
      (local.set $i (i32.const 0))
      (block $differs
        (loop $compare
          (br_if $differs (i32.ne
            (i32.load8_u offset=${at.lower} (i32.load8_u (i32.add (local.get $p) (local.get $i))))
            (i32.load8_u offset=${at.needle} (local.get $i))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $compare (i32.lt_u (local.get $i) (local.get $length))))
        (i32.store (local.get $out) (local.get $p))
        (local.set $out (i32.add (local.get $out) (i32.const 4))))
      (br $candidate)))
    (local.set $from (i32.add (local.get $from) (i32.const 16)))
    (br $next)))
  (i32.shr_u (i32.sub (local.get $out) (i32.const ${at.hits})) (i32.const 2)))
`

type Kernel = { readonly bytes: Uint8Array; readonly words: Uint32Array; readonly foldedHits: WasmFunction }

let made: Kernel | undefined

function foldKernel(): Kernel {
  if (made !== undefined) return made
  const { memory, functions } = assembleWasm(text, at.end)
  const bytes = new Uint8Array(memory)
  for (let byte = 0; byte < 256; byte++) bytes[at.lower + byte] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
  made = { bytes, words: new Uint32Array(memory), foldedHits: functions['foldedHits']! }
  return made
}

/** The places of one needle in `bytes[from, end)`, piece by piece. There is one at a time in a thread. */
export class FoldedHits {
  readonly #bytes: Uint8Array
  readonly #length: number
  readonly #end: number
  /** Where the piece in the kernel begins, and the first place behind it. */
  #chunk: number
  #behind: number
  #count = 0
  #next = 0

  /** `needle` is in lower case, of 1 to {@link MAX_KERNEL_NEEDLE} bytes. */
  constructor(bytes: Uint8Array, needle: Uint8Array, from: number, end: number) {
    foldKernel().bytes.set(needle, at.needle)
    this.#bytes = bytes
    this.#length = needle.length
    this.#end = end - needle.length + 1
    this.#chunk = from
    this.#behind = from
  }

  /** The first place at or behind `from`, which never goes back; -1 when there is none. */
  next(from: number): number {
    const { words } = foldKernel()
    for (;;) {
      while (this.#next < this.#count) {
        const hit = words[at.hits / WORD + this.#next]! - at.text + this.#chunk
        if (hit >= from) return hit
        this.#next++
      }
      this.#chunk = Math.max(this.#behind, from)
      if (this.#chunk >= this.#end) return -1
      this.#search()
    }
  }

  #search(): void {
    const { bytes, foldedHits } = foldKernel()
    this.#behind = Math.min(this.#chunk + CHUNK_BYTES, this.#end)
    bytes.set(this.#bytes.subarray(this.#chunk, this.#behind + this.#length - 1), at.text)
    this.#count = foldedHits(at.text, at.text + this.#behind - this.#chunk, this.#length)
    this.#next = 0
  }
}
