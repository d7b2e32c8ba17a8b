/**
 * Decodes columns of ./delta-f64.ts in WebAssembly, one instance for each thread, and finds the cell of a grid in which each value
 * lies. What has been decoded stays in the kernel's memory, so that most values never become a JavaScript array.
 */
import { countKernel } from './count-kernel.ts'
import { at, COUNTS_PER_ENTRY, MAX_CELL_ROWS, MAX_COUNTS, MAX_KERNEL_BYTES } from './delta-memory.ts'
import { assembleWasm } from '#/kernel/wasm-text.ts'
import type { WasmFunction } from '#/kernel/wasm-text.ts'

/** Position that no input reaches. */
const BEYOND = at.input + MAX_KERNEL_BYTES + 1
const MAX_VARINT_BYTES = 8

const readKernel = `
(func $u8 (result i32) (local $p i32)
  (local.set $p (i32.load offset=${at.position} (i32.const 0)))
  (i32.store offset=${at.position} (i32.const 0) (i32.add (local.get $p) (i32.const 1)))
  (i32.load8_u (local.get $p)))

;; a signed integer of at most ${MAX_VARINT_BYTES} bytes; one that is longer ends all reading
(func $svarint (result i64) (local $p i32) (local $shift i64) (local $value i64) (local $byte i32)
  (local.set $p (i32.load offset=${at.position} (i32.const 0)))
  (loop $next
    (local.set $byte (i32.load8_u (local.get $p)))
    (local.set $p (i32.add (local.get $p) (i32.const 1)))
    (local.set $value (i64.or (local.get $value)
      (i64.shl (i64.extend_i32_u (i32.and (local.get $byte) (i32.const 127))) (local.get $shift))))
    (local.set $shift (i64.add (local.get $shift) (i64.const 7)))
    (if (i32.gt_u (local.get $byte) (i32.const 127)) (then
      (if (i64.eq (local.get $shift) (i64.const ${MAX_VARINT_BYTES * 7})) (then
        (i32.store offset=${at.position} (i32.const 0) (i32.const ${BEYOND}))
        (return (i64.const 0))))
      (br $next))))
  (i32.store offset=${at.position} (i32.const 0) (local.get $p))
  (i64.xor (i64.shr_u (local.get $value) (i64.const 1))
    (i64.sub (i64.const 0) (i64.and (local.get $value) (i64.const 1)))))

;; bytes of $count packed numbers
(func $packedBytes (param $count i32) (param $width i32) (result i32)
  (i32.shl (i32.shr_u (i32.add (i32.mul (local.get $count) (local.get $width)) (i32.const 31)) (i32.const 5)) (i32.const 2)))
`

const decodeKernel = `
;; fills the differences with $count numbers of at most 32 bits, packed at $p, each increased by $least
(func $unpack (param $count i32) (param $width i32) (param $p i32) (param $least i64)
  (local $i i32) (local $bit i32) (local $mask i64)
  (local.set $mask (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $width))) (i64.const 1)))
  (loop $next
    (i64.store offset=${at.differences} (i32.shl (local.get $i) (i32.const 3)) (i64.add (local.get $least) (i64.and (local.get $mask)
      (i64.shr_u
        (i64.load (i32.add (local.get $p) (i32.shr_u (local.get $bit) (i32.const 3))))
        (i64.extend_i32_u (i32.and (local.get $bit) (i32.const 7)))))))
    (local.set $bit (i32.add (local.get $bit) (local.get $width)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $i) (local.get $count)))))

;; the same with 32 low bits at $p and $width high ones at $high
(func $unpackWide (param $count i32) (param $width i32) (param $p i32) (param $high i32) (param $least i64)
  (local $i i32) (local $bit i32) (local $mask i64)
  (local.set $mask (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $width))) (i64.const 1)))
  (loop $next
    (i64.store offset=${at.differences} (i32.shl (local.get $i) (i32.const 3)) (i64.add (local.get $least) (i64.or
      (i64.extend_i32_u (i32.load (i32.add (local.get $p) (i32.shl (local.get $i) (i32.const 2)))))
      (i64.shl
        (i64.and (local.get $mask) (i64.shr_u
          (i64.load (i32.add (local.get $high) (i32.shr_u (local.get $bit) (i32.const 3))))
          (i64.extend_i32_u (i32.and (local.get $bit) (i32.const 7)))))
        (i64.const 32)))))
    (local.set $bit (i32.add (local.get $bit) (local.get $width)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $i) (local.get $count)))))

;; reads a group into the differences; 0 when its bytes make no sense
(func $group (param $count i32) (result i32)
  (local $least i64) (local $width i32) (local $exceptions i32) (local $left i32) (local $list i32) (local $p i32) (local $high i32)
  (local $skipped i64)
  (local.set $least (call $svarint))
  (local.set $width (call $u8))
  (local.set $exceptions (call $u8))
  (if (i32.gt_u (local.get $width) (i32.const 53)) (then (return (i32.const 0))))
  (local.set $list (i32.load offset=${at.position} (i32.const 0)))
  (local.set $left (local.get $exceptions))
  (block $done (loop $next
    (br_if $done (i32.eqz (local.get $left)))
    (if (i32.ge_u (call $u8) (local.get $count)) (then (return (i32.const 0))))
    (local.set $skipped (call $svarint))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br $next)))
  (local.set $p (i32.load offset=${at.position} (i32.const 0)))
  (if (i32.gt_u (local.get $p) (i32.const ${at.input + MAX_KERNEL_BYTES})) (then (return (i32.const 0))))
  (if (i32.gt_u (local.get $width) (i32.const 32))
    (then
      (local.set $width (i32.sub (local.get $width) (i32.const 32)))
      (local.set $high (i32.add (local.get $p) (i32.shl (local.get $count) (i32.const 2))))
      (call $unpackWide (local.get $count) (local.get $width) (local.get $p) (local.get $high) (local.get $least))
      (local.set $p (i32.add (local.get $high) (call $packedBytes (local.get $count) (local.get $width)))))
    (else
      (call $unpack (local.get $count) (local.get $width) (local.get $p) (local.get $least))
      (local.set $p (i32.add (local.get $p) (call $packedBytes (local.get $count) (local.get $width))))))
  (i32.store offset=${at.position} (i32.const 0) (local.get $list))
  (block $done (loop $next
    (br_if $done (i32.eqz (local.get $exceptions)))
    (i64.store offset=${at.differences} (i32.shl (call $u8) (i32.const 3)) (call $svarint))
    (local.set $exceptions (i32.sub (local.get $exceptions) (i32.const 1)))
    (br $next)))
  (i32.store offset=${at.position} (i32.const 0) (local.get $p))
  (i32.const 1))

;; decodes $count values; where the input ends then, 0 when its bytes make no sense or a value is $max or more
(func $decode (param $count i32) (param $scale f64) (param $max f64) (result i32)
  (local $i i32) (local $size i32) (local $value i64) (local $out i32) (local $number f64)
  (i32.store offset=${at.position} (i32.const 0) (i32.const ${at.input + 1}))
  (local.set $out (i32.const ${at.values}))
  (block $done (loop $nextGroup
    (br_if $done (i32.eqz (local.get $count)))
    (local.set $size (select (local.get $count) (i32.const 128) (i32.lt_u (local.get $count) (i32.const 128))))
    (local.set $count (i32.sub (local.get $count) (local.get $size)))
    (if (i32.eqz (call $group (local.get $size))) (then (return (i32.const 0))))
    (local.set $i (i32.const 0))
    (local.set $size (i32.shl (local.get $size) (i32.const 3)))
    (loop $next
      (local.set $value (i64.add (local.get $value) (i64.load offset=${at.differences} (local.get $i))))
      (local.set $number (f64.mul (f64.convert_i64_s (local.get $value)) (local.get $scale)))
      (f64.store (i32.add (local.get $out) (local.get $i)) (local.get $number))
      (local.set $i (i32.add (local.get $i) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $size))))
    (if (i32.eqz (f64.lt (f64.abs (local.get $number)) (local.get $max))) (then (return (i32.const 0))))
    (local.set $out (i32.add (local.get $out) (local.get $size)))
    (br $nextGroup)))
  (i32.sub (i32.load offset=${at.position} (i32.const 0)) (i32.const ${at.input})))
`

/** Steps from $base on before the two values of $v. */
const steps = (base: string): string =>
  `(i32x4.trunc_sat_f64x2_u_zero (f64x2.ceil (f64x2.div (f64x2.sub (local.get $v) (local.get ${base})) (local.get $size))))`
/** The low words of the two numbers of each. */
const lowWords = '0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23'
const everyOther = '0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27'

function cellsOf(name: string, cell: string): string {
  const half = (offset: number, cells: string, mask: string): string => `
    (local.set $v (v128.load offset=${at.values + offset} (i32.shl (local.get $i) (i32.const 3))))
    (local.set ${mask} (v128.and (f64x2.ge (local.get $v) (local.get $least)) (f64x2.lt (local.get $v) (local.get $limit))))
    (local.set ${cells} ${cell})`
  return `
;; the cells of the values [$i, $end), in fours; 0 for those that are not in [$from, $to)
(func ${name} (param $i i32) (param $end i32) (param $from f64) (param $to f64) (param $first i32)
  (param $step f64) (param $enter f64) (param $leave f64)
  (local $v v128) (local $size v128) (local $entered v128) (local $left v128) (local $least v128) (local $limit v128)
  (local $low v128) (local $high v128) (local $inLow v128) (local $inHigh v128) (local $origin v128)
  (local.set $size (f64x2.splat (local.get $step)))
  (local.set $entered (f64x2.splat (local.get $enter)))
  (local.set $left (f64x2.splat (local.get $leave)))
  (local.set $least (f64x2.splat (local.get $from)))
  (local.set $limit (f64x2.splat (local.get $to)))
  (local.set $origin (i32x4.splat (local.get $first)))
  (loop $next ${half(0, '$low', '$inLow')} ${half(16, '$high', '$inHigh')}
    (v128.store offset=${at.cells} (i32.shl (local.get $i) (i32.const 2)) (v128.and
      (i32x4.sub (i8x16.shuffle ${lowWords} (local.get $low) (local.get $high)) (local.get $origin))
      (i8x16.shuffle ${everyOther} (local.get $inLow) (local.get $inHigh))))
    (local.set $i (i32.add (local.get $i) (i32.const 4)))
    (br_if $next (i32.lt_u (local.get $i) (local.get $end)))))
`
}

const cellsKernel =
  cellsOf('$cells', steps('$entered')) + cellsOf('$cellsOfTwo', `(i32x4.add ${steps('$entered')} ${steps('$left')})`)

export type DeltaKernel = {
  readonly bytes: Uint8Array
  readonly values: Float64Array
  readonly cells: Int32Array
  readonly decode: WasmFunction
  readonly findCells: WasmFunction
  readonly findCellsOfTwo: WasmFunction
  /** See ./count-kernel.ts. */
  readonly codes: Uint8Array
  readonly counts: Int32Array
  readonly unpackCodes: WasmFunction
  readonly countCells: WasmFunction
  readonly countCodes: WasmFunction
}

let made: DeltaKernel | undefined

export function deltaKernel(): DeltaKernel {
  made ??= makeKernel()
  return made
}

function makeKernel(): DeltaKernel {
  const { memory, functions } = assembleWasm(readKernel + decodeKernel + cellsKernel + countKernel, at.end)
  return {
    bytes: new Uint8Array(memory),
    values: new Float64Array(memory, at.values, MAX_CELL_ROWS),
    cells: new Int32Array(memory, at.cells, MAX_CELL_ROWS),
    decode: functions['decode']!,
    findCells: functions['cells']!,
    findCellsOfTwo: functions['cellsOfTwo']!,
    codes: new Uint8Array(memory, at.codes, MAX_CELL_ROWS),
    counts: new Int32Array(memory, at.counts, MAX_COUNTS * COUNTS_PER_ENTRY),
    unpackCodes: functions['unpackCodes']!,
    countCells: functions['countCells']!,
    countCodes: functions['countCodes']!,
  }
}
