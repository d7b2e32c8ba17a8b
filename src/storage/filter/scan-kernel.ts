/**
 * The inner loops of ./page-scanner.ts as WebAssembly, one instance for each thread. A piece of lines is first written in lower case
 * with zeros for all that is no token, 16 bytes at a time; then its tokens are the runs between zeros, found 64 bytes at a time.
 * A key is what lies in memory, so its first byte is the lowest one here; ./keys.ts has it the other way round.
 */
import { KEY_BYTES, MIN_KEY_BYTES } from './keys.ts'
import { FLAG_NO_GRAMS, FLAG_WORDS_AS_KEYS, MAX_TOKEN_LENGTH } from './page-facts.ts'
import {
  at,
  MAX_PAGE_GRAMS,
  MAX_PAGE_KEYS,
  MAX_WORD_BYTES,
  MAX_WORDS,
  MAX_WORDS_BYTES,
  WORD_SLOTS,
} from './scan-memory.ts'
import { assembleWasm } from '#/kernel/wasm-text.ts'
import type { WasmFunction } from '#/kernel/wasm-text.ts'

/** A search that takes more steps meets texts that were chosen to collide. */
const MAX_STEPS = 512
/** 2⁶⁴ divided by the golden ratio: the upper bits of a product with it are a hash. */
const MIX = '0x9e3779b97f4a7c15'
const WORD_SHIFT = 64 - Math.log2(WORD_SLOTS)
/** Digits are the only bytes of tokens without this bit. */
const NO_DIGIT = '0x4040404040404040'

const lowerKernel = `
;; Writes $rows lines from raw to lower; returns where they end.
(func $lower (param $rows i32) (result i32)
  (local $row i32) (local $in i32) (local $out i32) (local $size i32) (local $i i32)
  (local $v v128) (local $folded v128) (local $alpha v128) (local $leads v128)
  (local.set $in (i32.const ${at.raw}))
  (local.set $out (i32.const ${at.lower}))
  (local.set $leads (v128.load offset=${at.leads} (i32.const 0)))
  (block $done (loop $nextRow
    (br_if $done (i32.eq (local.get $row) (local.get $rows)))
    (local.set $size (i32.load offset=${at.rowLengths} (i32.shl (local.get $row) (i32.const 2))))
    (local.set $i (i32.const 0))
    (block $endOfRow (loop $next
      (br_if $endOfRow (i32.ge_u (local.get $i) (local.get $size)))
      (local.set $v (v128.load (i32.add (local.get $in) (local.get $i))))
      (local.set $leads (v128.or (local.get $leads) (v128.or
        (i8x16.eq (local.get $v) (i8x16.splat (i32.const 0xc5)))
        (i8x16.eq (local.get $v) (i8x16.splat (i32.const 0xe2))))))
      (local.set $folded (v128.or (local.get $v) (i8x16.splat (i32.const 32))))
      (local.set $alpha (i8x16.lt_u (i8x16.sub (local.get $folded) (i8x16.splat (i32.const 97))) (i8x16.splat (i32.const 26))))
      (v128.store (i32.add (local.get $out) (local.get $i)) (v128.or
        (v128.and (local.get $folded) (local.get $alpha))
        (v128.and (local.get $v) (v128.or
          (i8x16.eq (local.get $v) (i8x16.splat (i32.const 95)))
          (i8x16.lt_u (i8x16.sub (local.get $v) (i8x16.splat (i32.const 48))) (i8x16.splat (i32.const 10)))))))
      (local.set $i (i32.add (local.get $i) (i32.const 16)))
      (br $next)))
    (local.set $in (i32.add (local.get $in) (local.get $size)))
    (local.set $out (i32.add (local.get $out) (local.get $size)))
    (v128.store (local.get $out) (i8x16.splat (i32.const 0)))
    (local.set $out (i32.add (local.get $out) (i32.const 1)))
    (local.set $row (i32.add (local.get $row) (i32.const 1)))
    (br $nextRow)))
  (v128.store offset=${at.leads} (i32.const 0) (local.get $leads))
  (memory.fill (local.get $out) (i32.const 0) (i32.const 64))
  (local.get $out))
`

const keysKernel = `
;; Adds a key; 1 when it is new.
(func $addKey (param $key i64) (result i32) (local $slot i32) (local $mask i32) (local $held i64) (local $steps i32) (local $count i32)
  (local.set $mask (i32.load offset=${at.keyMask} (i32.const 0)))
  (local.set $slot (call $keyHash (local.get $key)))
  (block $isNew (loop $next
    (local.set $slot (i32.and (local.get $slot) (local.get $mask)))
    (local.set $held (i64.load offset=${at.keySlots} (i32.shl (local.get $slot) (i32.const 3))))
    (if (i64.eq (local.get $held) (local.get $key)) (then (return (i32.const 0))))
    (br_if $isNew (i64.eqz (local.get $held)))
    (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
    (local.set $steps (i32.add (local.get $steps) (i32.const 1)))
    (br_if $next (i32.le_u (local.get $steps) (i32.const ${MAX_STEPS})))
    (i32.store offset=${at.isFull} (i32.const 0) (i32.const 1))
    (return (i32.const 0))))
  (local.set $count (i32.load offset=${at.keyCount} (i32.const 0)))
  (if (i32.eq (local.get $count) (i32.const ${MAX_PAGE_KEYS})) (then (i32.store offset=${at.isFull} (i32.const 0) (i32.const 1))))
  (if (i32.load offset=${at.isFull} (i32.const 0)) (then (return (i32.const 0))))
  (i64.store offset=${at.keySlots} (i32.shl (local.get $slot) (i32.const 3)) (local.get $key))
  (i64.store offset=${at.keys} (i32.shl (local.get $count) (i32.const 3)) (local.get $key))
  (local.set $count (i32.add (local.get $count) (i32.const 1)))
  (i32.store offset=${at.keyCount} (i32.const 0) (local.get $count))
  (if (i32.gt_u (i32.shl (local.get $count) (i32.const 1)) (local.get $mask)) (then (call $growKeys)))
  (i32.const 1))

(func $keyHash (param $key i64) (result i32)
  (i32.wrap_i64 (i64.shr_u (i64.mul (local.get $key) (i64.const ${MIX})) (i64.const 40))))

;; Doubles the table of keys.
(func $growKeys (local $mask i32) (local $i i32) (local $slot i32) (local $key i64)
  (local.set $mask (i32.add (i32.shl (i32.load offset=${at.keyMask} (i32.const 0)) (i32.const 1)) (i32.const 1)))
  (i32.store offset=${at.keyMask} (i32.const 0) (local.get $mask))
  (memory.fill (i32.const ${at.keySlots}) (i32.const 0) (i32.shl (i32.add (local.get $mask) (i32.const 1)) (i32.const 3)))
  (loop $nextKey
    (local.set $key (i64.load offset=${at.keys} (i32.shl (local.get $i) (i32.const 3))))
    (local.set $slot (i32.and (call $keyHash (local.get $key)) (local.get $mask)))
    (block $isFree (loop $next
      (br_if $isFree (i64.eqz (i64.load offset=${at.keySlots} (i32.shl (local.get $slot) (i32.const 3)))))
      (local.set $slot (i32.and (i32.add (local.get $slot) (i32.const 1)) (local.get $mask)))
      (br $next)))
    (i64.store offset=${at.keySlots} (i32.shl (local.get $slot) (i32.const 3)) (local.get $key))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $nextKey (i32.lt_u (local.get $i) (i32.load offset=${at.keyCount} (i32.const 0))))))

;; Adds the grams of the token that have a byte outside of [0-9a-f].
(func $addGrams (param $from i32) (param $to i32)
  (local $p i32) (local $byte i32) (local $code i32) (local $gram i32) (local $others i32) (local $count i32)
  (local.set $p (local.get $from))
  (loop $next
    (local.set $byte (i32.load8_u (local.get $p)))
    (local.set $p (i32.add (local.get $p) (i32.const 1)))
    (local.set $code (i32.and (i32.const 0x3ffff) (i32.or (i32.shl (local.get $code) (i32.const 6))
      (i32.or (i32.and (local.get $byte) (i32.const 31)) (i32.shr_u (i32.and (local.get $byte) (i32.const 64)) (i32.const 1))))))
    (local.set $gram (i32.and (i32.const 0xffffff) (i32.or (i32.shl (local.get $gram) (i32.const 8)) (local.get $byte))))
    (local.set $others (i32.and (i32.const 7) (i32.or (i32.shl (local.get $others) (i32.const 1))
      (i32.or (i32.gt_u (local.get $byte) (i32.const 102)) (i32.eq (local.get $byte) (i32.const 95))))))
    (block $isKnown
      (br_if $isKnown (i32.lt_u (local.get $p) (i32.add (local.get $from) (i32.const 3))))
      (br_if $isKnown (i32.eqz (local.get $others)))
      (br_if $isKnown (i32.load8_u offset=${at.hasGram} (local.get $code)))
      (local.set $count (i32.load offset=${at.gramCount} (i32.const 0)))
      (if (i32.eq (local.get $count) (i32.const ${MAX_PAGE_GRAMS})) (then
        (call $setFlag (i32.const ${FLAG_NO_GRAMS}))
        (return)))
      (i32.store8 offset=${at.hasGram} (local.get $code) (i32.const 1))
      (i32.store offset=${at.gramCodes} (i32.shl (local.get $count) (i32.const 2)) (local.get $code))
      (i32.store offset=${at.grams} (i32.shl (local.get $count) (i32.const 2)) (local.get $gram))
      (i32.store offset=${at.gramCount} (i32.const 0) (i32.add (local.get $count) (i32.const 1))))
    (br_if $next (i32.lt_u (local.get $p) (local.get $to)))))

;; Whether the token has a byte outside of [0-9a-f].
(func $hasOther (param $from i32) (param $to i32) (result i32) (local $v v128) (local $mask i32)
  (loop $next
    (local.set $v (v128.load (local.get $from)))
    (local.set $mask (i8x16.bitmask (v128.or
      (i8x16.lt_u (i8x16.splat (i32.const 102)) (local.get $v))
      (i8x16.eq (local.get $v) (i8x16.splat (i32.const 95))))))
    (if (local.get $mask) (then
      (return (i32.lt_u (i32.add (local.get $from) (i32.ctz (local.get $mask))) (local.get $to)))))
    (local.set $from (i32.add (local.get $from) (i32.const 16)))
    (br_if $next (i32.lt_u (local.get $from) (local.get $to))))
  (i32.const 0))

(func $setFlag (param $flag i32)
  (i32.store offset=${at.flags} (i32.const 0) (i32.or (i32.load offset=${at.flags} (i32.const 0)) (local.get $flag))))
`

const wordsKernel = `
;; Whether the bytes of a word before its last eight are those at $other.
(func $isSame (param $from i32) (param $to i32) (param $other i32) (result i32)
  (loop $next
    (if (i64.ne (i64.load (local.get $from)) (i64.load (local.get $other))) (then (return (i32.const 0))))
    (local.set $from (i32.add (local.get $from) (i32.const 8)))
    (local.set $other (i32.add (local.get $other) (i32.const 8)))
    (br_if $next (i32.lt_u (local.get $from) (local.get $to))))
  (i32.const 1))

;; Adds a word to the block's and to the page's; 0 when there is no room.
(func $addWord (param $from i32) (param $to i32) (param $key i64) (result i32)
  (local $slot i32) (local $p i32) (local $info i32) (local $steps i32) (local $length i32)
  (local.set $length (i32.sub (local.get $to) (local.get $from)))
  (local.set $slot (i32.wrap_i64 (i64.shr_u (i64.mul (local.get $key) (i64.const ${MIX})) (i64.const ${WORD_SHIFT}))))
  (block $isNew (loop $next
    (local.set $slot (i32.and (local.get $slot) (i32.const ${WORD_SLOTS - 1})))
    (local.set $p (i32.add (i32.const ${at.wordSlots}) (i32.shl (local.get $slot) (i32.const 4))))
    (local.set $info (i32.load offset=8 (local.get $p)))
    (br_if $isNew (i32.eqz (local.get $info)))
    (block $differs
      (br_if $differs (i64.ne (i64.load (local.get $p)) (local.get $key)))
      (br_if $differs (i32.ne (i32.and (local.get $info) (i32.const 255)) (local.get $length)))
      (if (i32.gt_u (local.get $length) (i32.const ${KEY_BYTES})) (then
        (br_if $differs (i32.eqz (call $isSame (local.get $from) (i32.sub (local.get $to) (i32.const ${KEY_BYTES}))
          (i32.add (i32.const ${at.wordText})
            (i32.load offset=${at.wordStarts} (i32.shl (i32.shr_u (local.get $info) (i32.const 8)) (i32.const 2)))))))))
      (call $hold (local.get $p))
      (return (i32.const 1)))
    (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
    (local.set $steps (i32.add (local.get $steps) (i32.const 1)))
    (br_if $next (i32.le_u (local.get $steps) (i32.const ${MAX_STEPS})))
    (return (i32.const 0))))
  (local.set $info (i32.load offset=${at.wordCount} (i32.const 0)))
  (local.set $slot (i32.load offset=${at.wordTextBytes} (i32.const 0)))
  (if (i32.eq (local.get $info) (i32.const ${MAX_WORDS})) (then (return (i32.const 0))))
  (if (i32.gt_u (i32.add (local.get $slot) (local.get $length)) (i32.const ${MAX_WORDS_BYTES})) (then (return (i32.const 0))))
  (i64.store (local.get $p) (local.get $key))
  (i32.store offset=8 (local.get $p) (i32.or (i32.shl (local.get $info) (i32.const 8)) (local.get $length)))
  (call $hold (local.get $p))
  (i32.store offset=${at.wordCount} (i32.const 0) (i32.add (local.get $info) (i32.const 1)))
  (local.set $p (i32.add (i32.const ${at.wordText}) (local.get $slot)))
  (local.set $slot (i32.add (local.get $slot) (local.get $length)))
  (i32.store offset=${at.wordTextBytes} (i32.const 0) (local.get $slot))
  (i32.store offset=${at.wordStarts + 4} (i32.shl (local.get $info) (i32.const 2)) (local.get $slot))
  (loop $copy
    (v128.store (local.get $p) (v128.load (local.get $from)))
    (local.set $p (i32.add (local.get $p) (i32.const 16)))
    (local.set $from (i32.add (local.get $from) (i32.const 16)))
    (br_if $copy (i32.lt_u (local.get $from) (local.get $to))))
  (i32.const 1))

;; Notes that the page has the word of the slot at $p.
(func $hold (param $p i32) (local $count i32) (local $page i32)
  (local.set $page (i32.load offset=${at.page} (i32.const 0)))
  (if (i32.eq (i32.load offset=12 (local.get $p)) (local.get $page)) (then (return)))
  (i32.store offset=12 (local.get $p) (local.get $page))
  (local.set $count (i32.load offset=${at.heldCount} (i32.const 0)))
  (i32.store16 offset=${at.held} (i32.shl (local.get $count) (i32.const 1)) (i32.shr_u (i32.load offset=8 (local.get $p)) (i32.const 8)))
  (i32.store offset=${at.heldCount} (i32.const 0) (i32.add (local.get $count) (i32.const 1))))
`

const tokensKernel = `
;; Which of the 16 bytes at $p are zero.
(func $zerosAt (param $p i32) (result i64)
  (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load (local.get $p)) (i8x16.splat (i32.const 0))))))

;; Takes the first $rows lines at raw apart.
(func $scan (param $rows i32)
  (local $base i32) (local $end i32) (local $mask i64) (local $edges i64) (local $last i64) (local $isInside i32)
  (local $from i32) (local $to i32)
  (local.set $end (call $lower (local.get $rows)))
  (local.set $base (i32.const ${at.lower}))
  (block $done (loop $nextBlock
    (br_if $done (i32.ge_u (local.get $base) (local.get $end)))
    (local.set $mask (i64.xor (i64.const -1) (i64.or
      (i64.or (call $zerosAt (local.get $base)) (i64.shl (call $zerosAt (i32.add (local.get $base) (i32.const 16))) (i64.const 16)))
      (i64.shl
        (i64.or
          (call $zerosAt (i32.add (local.get $base) (i32.const 32)))
          (i64.shl (call $zerosAt (i32.add (local.get $base) (i32.const 48))) (i64.const 16)))
        (i64.const 32)))))
    ;; bits where tokens begin and end
    (local.set $edges (i64.xor (local.get $mask) (i64.or (i64.shl (local.get $mask) (i64.const 1)) (local.get $last))))
    (local.set $last (i64.shr_u (local.get $mask) (i64.const 63)))
    (block $endOfBlock (loop $nextToken
      (br_if $endOfBlock (i64.eqz (local.get $edges)))
      (if (i32.eqz (local.get $isInside)) (then
        (local.set $from (i32.add (local.get $base) (i32.wrap_i64 (i64.ctz (local.get $edges)))))
        (local.set $edges (i64.and (local.get $edges) (i64.sub (local.get $edges) (i64.const 1))))
        (local.set $isInside (i32.const 1))
        (br_if $endOfBlock (i64.eqz (local.get $edges)))))
      (local.set $to (i32.add (local.get $base) (i32.wrap_i64 (i64.ctz (local.get $edges)))))
      (local.set $edges (i64.and (local.get $edges) (i64.sub (local.get $edges) (i64.const 1))))
      (local.set $isInside (i32.const 0))
      (call $addToken (local.get $from) (local.get $to))
      (br $nextToken)))
    (local.set $base (i32.add (local.get $base) (i32.const 64)))
    (br $nextBlock))))

(func $addToken (param $from i32) (param $to i32)
  (local $length i32) (local $shift i64) (local $key i64) (local $digits i64) (local $p i32) (local $isNew i32)
  (local.set $length (i32.sub (local.get $to) (local.get $from)))
  (local.set $key (i64.load (i32.sub (local.get $to) (i32.const ${KEY_BYTES}))))
  (if (i32.lt_u (local.get $length) (i32.const ${KEY_BYTES}))
    (then
      (local.set $shift (i64.extend_i32_u (i32.shl (i32.sub (i32.const ${KEY_BYTES}) (local.get $length)) (i32.const 3))))
      (local.set $digits (i64.shr_u (i64.xor (local.get $key) (i64.const -1)) (local.get $shift)))
      (local.set $key (i64.shl (i64.shr_u (local.get $key) (local.get $shift)) (local.get $shift)))
      (local.set $digits (i64.and (local.get $digits) (i64.shr_u (i64.const ${NO_DIGIT}) (local.get $shift)))))
    (else
      (local.set $digits (i64.xor (local.get $key) (i64.const -1)))
      (local.set $p (local.get $from))
      (block $done (loop $next
        (br_if $done (i32.ge_u (i32.add (local.get $p) (i32.const ${KEY_BYTES})) (local.get $to)))
        (local.set $digits (i64.or (local.get $digits) (i64.xor (i64.load (local.get $p)) (i64.const -1))))
        (local.set $p (i32.add (local.get $p) (i32.const ${KEY_BYTES})))
        (br $next)))
      (local.set $digits (i64.and (local.get $digits) (i64.const ${NO_DIGIT})))))
  (if (i64.eqz (local.get $digits)) (then
    (if (i32.le_u (local.get $length) (i32.const ${MAX_WORD_BYTES})) (then
      (if (call $addWord (local.get $from) (local.get $to) (local.get $key)) (then (return)))))
    (call $setFlag (i32.const ${FLAG_WORDS_AS_KEYS}))))
  (i64.store offset=${at.lengths} (i32.const 0) (i64.or
    (i64.load offset=${at.lengths} (i32.const 0))
    (i64.shl (i64.const 1) (i64.extend_i32_u (select (local.get $length) (i32.const ${MAX_TOKEN_LENGTH})
      (i32.lt_u (local.get $length) (i32.const ${MAX_TOKEN_LENGTH})))))))
  (local.set $isNew (i32.const 1))
  (if (i32.ge_u (local.get $length) (i32.const ${MIN_KEY_BYTES})) (then
    (local.set $isNew (call $addKey (local.get $key)))
    (if (i32.gt_u (local.get $length) (i32.const ${KEY_BYTES})) (then
      (local.set $isNew (i32.or (call $addKey (i64.load (local.get $from))) (i32.const 1)))))))
  ;; a key that was there before came with its grams
  (if (local.get $isNew) (then
    (if (call $hasOther (local.get $from) (local.get $to)) (then (call $addGrams (local.get $from) (local.get $to)))))))
`

export type ScanKernel = {
  readonly bytes: Buffer
  /** The same memory in 32-bit words. */
  readonly words: Uint32Array
  /** Takes the first so many lines apart that lie at `raw`, with their lengths at `rowLengths`. */
  readonly scan: WasmFunction
}

let made: ScanKernel | undefined

/** The thread's kernel; in its memory are the words of one block, and what the current page holds. */
export function scanKernel(): ScanKernel {
  made ??= makeKernel()
  return made
}

function makeKernel(): ScanKernel {
  const { memory, functions } = assembleWasm(lowerKernel + keysKernel + wordsKernel + tokensKernel, at.end)
  return { bytes: Buffer.from(memory), words: new Uint32Array(memory), scan: functions['scan']! }
}
