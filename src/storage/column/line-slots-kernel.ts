/**
 * The inner loops of {@link ./line-slots.ts} as WebAssembly, one instance for each thread. They go over bytes 16 at a time
 * and stop only where something has to be cut out or put in. A byte below 9 in a text is an operation:
 *
 *     0 b     the byte b itself, below 9         4      hours, minutes and seconds of the row's time: 08:59:07
 *     1       the context's next number          5      the same with milliseconds after a point: 08:59:07.041
 *     2 n     the same with leading zeros,       6      the same after a comma
 *             n digits in all                    7 k    the row's value in metadata column k
 *     3 n     the next n hexadecimal digits      8      end of the row
 *
 * The context of a number is a hash of the eight bytes before it in its text, zeros where the text has not so many.
 */
import { cutKernel, DIGIT, HEX_LETTER, OTHER_LETTER } from './line-slots-cut.ts'
import { joinKernel } from './line-slots-join.ts'
import { at } from './line-slots-memory.ts'
import { assembleWasm } from '#/kernel/wasm-text.ts'
import type { WasmFunction } from '#/kernel/wasm-text.ts'

/** What both sides use. */
const commonKernel = `
;; the context of a number whose operation stands at $p, in a text that begins at $first
(func $contextOf (param $p i32) (param $first i32) (result i32) (local $bytes i64) (local $shift i64)
  (local.set $bytes (i64.load (i32.sub (local.get $p) (i32.const 8))))
  (local.set $first (i32.sub (local.get $p) (local.get $first)))
  (if (i32.lt_u (local.get $first) (i32.const 8)) (then
    (if (i32.eqz (local.get $first)) (then (return (i32.const 0))))
    (local.set $shift (i64.extend_i32_u (i32.sub (i32.const 64) (i32.shl (local.get $first) (i32.const 3)))))
    (local.set $bytes (i64.shl (i64.shr_u (local.get $bytes) (local.get $shift)) (local.get $shift)))))
  (i32.shr_u
    (i32.xor
      (i32.mul (i32.wrap_i64 (i64.shr_u (local.get $bytes) (i64.const 32))) (i32.const -1640531535))
      (i32.mul (i32.wrap_i64 (local.get $bytes)) (i32.const -2048144777)))
    (i32.const 22)))

;; writes $x with $digits digits, zeros in front; up to 3 bytes more are overwritten
(func $putPadded (param $x i32) (param $digits i32) (param $p i32) (local $to i32)
  (if (i32.and (i32.le_u (local.get $digits) (i32.const 3)) (i32.lt_u (local.get $x) (i32.const 1000))) (then
    (i32.store (local.get $p) (i32.shr_u
      (i32.load offset=${at.threeDigits} (i32.shl (local.get $x) (i32.const 2)))
      (i32.shl (i32.sub (i32.const 3) (local.get $digits)) (i32.const 3))))
    (return)))
  (local.set $to (i32.add (local.get $p) (local.get $digits)))
  (loop $next
    (local.set $to (i32.sub (local.get $to) (i32.const 1)))
    (i32.store8 (local.get $to) (i32.add (i32.const 48) (i32.rem_u (local.get $x) (i32.const 10))))
    (local.set $x (i32.div_u (local.get $x) (i32.const 10)))
    (br_if $next (i32.gt_u (local.get $to) (local.get $p)))))

;; writes the time of day $ms as 08:59:07.041
(func $putClock (param $ms i32) (param $p i32) (local $s i32) (local $m i32)
  (local.set $s (i32.div_u (local.get $ms) (i32.const 1000)))
  (local.set $m (i32.div_u (local.get $s) (i32.const 60)))
  (call $putPadded (i32.div_u (local.get $m) (i32.const 60)) (i32.const 2) (local.get $p))
  (i32.store8 offset=2 (local.get $p) (i32.const 58))
  (call $putPadded (i32.rem_u (local.get $m) (i32.const 60)) (i32.const 2) (i32.add (local.get $p) (i32.const 3)))
  (i32.store8 offset=5 (local.get $p) (i32.const 58))
  (call $putPadded (i32.rem_u (local.get $s) (i32.const 60)) (i32.const 2) (i32.add (local.get $p) (i32.const 6)))
  (i32.store8 offset=8 (local.get $p) (i32.const 46))
  (call $putPadded (i32.rem_u (local.get $ms) (i32.const 1000)) (i32.const 3) (i32.add (local.get $p) (i32.const 9))))
`

type Kernel = {
  readonly bytes: Buffer
  /** The same memory in 32-bit words. */
  readonly words: Uint32Array
  /** What lies at `text`, `textStarts` and `texts` in the memory, when that is known. */
  texts: object | undefined
  readonly encode: WasmFunction
  readonly decode: WasmFunction
  readonly decodeRows: WasmFunction
  readonly findTexts: WasmFunction
  readonly hashTexts: WasmFunction
  readonly listNumbers: WasmFunction
}

const NS_PER_MS = 1e6
const MS_PER_DAY = 86_400_000
const FIRST_MS = at.rowMs / 4

let made: Kernel | undefined

/** The thread's kernel. What is in its memory is valid until the next use. */
export function lineSlotsKernel(): Kernel {
  made ??= makeKernel()
  return made
}

/** The time of a row, in nanoseconds since midnight. False when it is not of the day. */
export function putTime({ words }: Kernel, row: number, time: number): boolean {
  const ms = Math.floor(time / NS_PER_MS)
  words[FIRST_MS + row] = ms
  return ms >= 0 && ms < MS_PER_DAY
}

/** The same of all rows. */
export function putTimes(kernel: Kernel, times: Float64Array): boolean {
  for (let row = 0; row < times.length; row++) if (!putTime(kernel, row, times[row]!)) return false
  return true
}

function makeKernel(): Kernel {
  const { memory, functions } = assembleWasm(commonKernel + cutKernel + joinKernel, at.end)
  const bytes = Buffer.from(memory)
  for (let byte = 0; byte < 256; byte++) bytes[at.classes + byte] = classOf(byte)
  for (let x = 0; x < 1000; x++) {
    bytes.write(String(x).padStart(3, '0'), at.threeDigits + 4 * x)
    bytes[at.threeDigits + 4 * x + 3] = String(x).length
  }
  const { encode, decode, decodeRows, findTexts, hashTexts, listNumbers } = functions
  return {
    bytes,
    words: new Uint32Array(memory),
    texts: undefined,
    encode: encode!,
    decode: decode!,
    decodeRows: decodeRows!,
    findTexts: findTexts!,
    hashTexts: hashTexts!,
    listNumbers: listNumbers!,
  }
}

/** Letters of any script belong to words: bytes of UTF-8 beyond ASCII do too. */
function classOf(byte: number): number {
  const text = String.fromCharCode(byte)
  if (/[0-9]/.test(text)) return DIGIT
  if (/[a-f]/.test(text)) return HEX_LETTER
  return /[A-Za-z_\x80-\xff]/.test(text) ? OTHER_LETTER : 0
}
