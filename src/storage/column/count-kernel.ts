/**
 * Part of ./delta-kernel.ts: codes of a dictionary as bytes, and rows counted by code and cell. A row costs an addition in a table
 * that lies beside what was decoded; neither codes nor cells become a JavaScript array of numbers.
 */
import { at, COUNTS_PER_ENTRY, MAX_KERNEL_BYTES } from './delta-memory.ts'

/** Bits of a code, and of what is to be added to it: the sum fits into a byte. */
const MAX_CODE_BITS = 7

/** Byte $k of eight codes; the next one has the low bits of $x then. */
const nextCode = (k: number): string => `
      (local.set $y (i64.or (local.get $y) (i64.shl (i64.and (local.get $x) (local.get $mask)) (i64.const ${k * 8}))))
      (local.set $x (i64.shr_u (local.get $x) (local.get $bits)))`

const unpackKernel = `
;; fills the codes with $count numbers of at most $max, packed as in ./packed-u32.ts from $p on; where these end, 0 when they are not such
(func $unpackCodes (param $count i32) (param $p i32) (param $max i32) (result i32)
  (local $size i32) (local $width i32) (local $q i32) (local $out i32) (local $to i32) (local $end i32)
  (local $x i64) (local $y i64) (local $mask i64) (local $bits i64) (local $least i64) (local $found v128)
  (local.set $out (i32.const ${at.codes}))
  (block $done (loop $nextGroup
    (br_if $done (i32.eqz (local.get $count)))
    (if (i32.gt_u (local.get $p) (i32.const ${at.input + MAX_KERNEL_BYTES})) (then (return (i32.const 0))))
    (local.set $size (select (local.get $count) (i32.const 128) (i32.lt_u (local.get $count) (i32.const 128))))
    (local.set $count (i32.sub (local.get $count) (local.get $size)))
    (local.set $width (i32.load8_u (local.get $p)))
    (local.set $least (i64.extend_i32_u (i32.load8_u offset=1 (local.get $p))))
    (if (i32.gt_u (local.get $width) (i32.const ${MAX_CODE_BITS})) (then (return (i32.const 0))))
    (if (i32.gt_u (i32.load8_u offset=1 (local.get $p)) (i32.const 127)) (then (return (i32.const 0))))
    (local.set $bits (i64.extend_i32_u (local.get $width)))
    (local.set $mask (i64.sub (i64.shl (i64.const 1) (local.get $bits)) (i64.const 1)))
    (local.set $least (i64.mul (local.get $least) (i64.const 72340172838076673)))
    (local.set $p (i32.add (local.get $p) (i32.const 2)))
    (local.set $q (local.get $p))
    (local.set $to (local.get $out))
    (local.set $out (i32.add (local.get $out) (local.get $size)))
    (loop $next
      (local.set $x (i64.load (local.get $q)))
      (local.set $y (i64.const 0))${[0, 1, 2, 3, 4, 5, 6, 7].map(nextCode).join('')}
      (i64.store (local.get $to) (i64.add (local.get $y) (local.get $least)))
      (local.set $q (i32.add (local.get $q) (local.get $width)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $to) (local.get $out))))
    (local.set $p (i32.add (local.get $p) (call $packedBytes (local.get $size) (local.get $width))))
    (br $nextGroup)))
  (local.set $end (local.get $out))
  (memory.fill (local.get $end) (i32.const 0) (i32.const 16))
  (local.set $out (i32.const ${at.codes}))
  (loop $next
    (local.set $found (v128.or (local.get $found) (i8x16.lt_u (i8x16.splat (local.get $max)) (v128.load (local.get $out)))))
    (local.set $out (i32.add (local.get $out) (i32.const 16)))
    (br_if $next (i32.lt_u (local.get $out) (local.get $end))))
  (if (i8x16.bitmask (local.get $found)) (then (return (i32.const 0))))
  (local.get $p))
`

/** Counts row $i in number `lane` of the entry that `code` and its cell say. */
const countRow = (lane: number, code: string): string => `
    (local.set $p (i32.add ${code} (i32.shl (i32.load offset=${at.cells + lane * 4} (i32.shl (local.get $i) (i32.const 2))) (i32.const 3))))
    (i32.store offset=${at.counts + lane * 4} (local.get $p)
      (i32.add (i32.load offset=${at.counts + lane * 4} (local.get $p)) (i32.const 1)))`

/** `$first` and `$width` are positions and sizes in bytes. */
function counter(name: string, code: (lane: number) => string): string {
  return `
(func ${name} (param $i i32) (param $end i32) (param $first i32) (param $width i32)
  (local $p i32)
  (block $done (loop $next
    (br_if $done (i32.ge_u (i32.add (local.get $i) (i32.const 1)) (local.get $end)))${countRow(0, code(0))}${countRow(1, code(1))}
    (local.set $i (i32.add (local.get $i) (i32.const ${COUNTS_PER_ENTRY})))
    (br $next)))
  (if (i32.lt_u (local.get $i) (local.get $end)) (then ${countRow(0, code(0))})))
`
}

const codeOffset = (lane: number): string =>
  `(i32.add (local.get $first) (i32.mul (i32.load8_u offset=${at.codes + lane} (local.get $i)) (local.get $width)))`

export const countKernel =
  unpackKernel + counter('$countCells', () => '(local.get $first)') + counter('$countCodes', codeOffset)
