/** The side of ./line-slots-kernel.ts that cuts lines, in WebAssembly's text format. */
import { at, MAX_SLOT_NUMBERS, OPERAND } from './line-slots-memory.ts'

/** Classes of bytes. */
export const DIGIT = 1
export const HEX_LETTER = 2
export const OTHER_LETTER = 4
/** Shorter ones are cheaper as text and numbers. */
const MIN_HEX_DIGITS = 4
export const MAX_HEX_DIGITS = 127
/** A number that has been the same this many times stays in the text until it changes. */
const CONSTANT_AFTER = 16

/** An odd number with its bits well mixed: 2^64 divided by the golden ratio. */
const HASH_FACTOR = -7046029254386353131n
/** A text that is not found in so many slots is taken for a new one. */
const MAX_PROBES = 32

export const cutKernel = `
;; Packs the digits from $p to $stop two in a byte, a last single one with 0; returns where the bytes end.
(func $packHex (param $p i32) (param $stop i32) (param $to i32) (result i32) (local $byte i32) (local $x i32)
  (loop $next
    (local.set $byte (i32.load8_u (local.get $p)))
    (local.set $x (i32.shl (call $nibble (local.get $byte)) (i32.const 4)))
    (if (i32.lt_u (i32.add (local.get $p) (i32.const 1)) (local.get $stop)) (then
      (local.set $x (i32.or (local.get $x) (call $nibble (i32.load8_u offset=1 (local.get $p)))))))
    (i32.store8 (local.get $to) (local.get $x))
    (local.set $to (i32.add (local.get $to) (i32.const 1)))
    (local.set $p (i32.add (local.get $p) (i32.const 2)))
    (br_if $next (i32.lt_u (local.get $p) (local.get $stop))))
  (local.get $to))

(func $nibble (param $digit i32) (result i32)
  (i32.add (i32.and (local.get $digit) (i32.const 15)) (i32.mul (i32.shr_u (local.get $digit) (i32.const 6)) (i32.const 9))))

;; The metadata column whose value in $row is that of the $digits digits packed at $hex; $columns when there is none.
(func $findValue (param $row i32) (param $digits i32) (param $hex i32) (param $columns i32) (result i32)
  (local $k i32) (local $size i32) (local $p i32) (local $q i32)
  (block $found (loop $nextColumn
    (br_if $found (i32.eq (local.get $k) (local.get $columns)))
    (local.set $size (i32.load offset=${at.valueTable + 4} (i32.shl (local.get $k) (i32.const 3))))
    (block $differs
      (br_if $differs (i32.ne (i32.shl (local.get $size) (i32.const 1)) (local.get $digits)))
      (local.set $p (i32.add
        (i32.load offset=${at.valueTable} (i32.shl (local.get $k) (i32.const 3)))
        (i32.mul (local.get $row) (local.get $size))))
      (local.set $q (local.get $hex))
      (loop $compare
        (br_if $differs (i32.ne (i32.load8_u (local.get $p)) (i32.load8_u (local.get $q))))
        (local.set $p (i32.add (local.get $p) (i32.const 1)))
        (local.set $q (i32.add (local.get $q) (i32.const 1)))
        (br_if $compare (i32.lt_u (local.get $q) (i32.add (local.get $hex) (local.get $size)))))
      (br $found))
    (local.set $k (i32.add (local.get $k) (i32.const 1)))
    (br $nextColumn)))
  (local.get $k))

;; The operation that stands for the time at $in, which is compared with the one at clock; 0 when they differ.
(func $clockAt (param $in i32) (param $end i32) (result i32) (local $x i32)
  (if (i32.gt_u (i32.add (local.get $in) (i32.const 8)) (local.get $end)) (then (return (i32.const 0))))
  (if (i64.ne (i64.load (local.get $in)) (i64.load offset=${at.clock} (i32.const 0))) (then (return (i32.const 0))))
  (if (i32.gt_u (i32.add (local.get $in) (i32.const 12)) (local.get $end)) (then (return (i32.const 4))))
  (local.set $x (i32.load offset=8 (local.get $in)))
  (if (i32.ne (i32.shr_u (local.get $x) (i32.const 8)) (i32.shr_u (i32.load offset=${at.clock + 8} (i32.const 0)) (i32.const 8)))
    (then (return (i32.const 4))))
  (local.set $x (i32.and (local.get $x) (i32.const 255)))
  (if (i32.eq (local.get $x) (i32.const 46)) (then (return (i32.const 5))))
  (if (i32.eq (local.get $x) (i32.const 44)) (then (return (i32.const 6))))
  (i32.const 4))

;; Whether $value has been all that stood in the context, and often; $p is 4 times the context.
(func $isConstant (param $p i32) (param $value i32) (result i32) (local $seen i32)
  (local.set $seen (i32.load offset=${at.seen} (local.get $p)))
  (if (i32.eqz (local.get $seen)) (then (i32.store offset=${at.firsts} (local.get $p) (local.get $value))))
  (if (i32.eq (local.get $seen) (i32.const -1)) (then (return (i32.const 0))))
  (local.set $seen (i32.add (local.get $seen) (i32.const 1)))
  (if (i32.ne (local.get $value) (i32.load offset=${at.firsts} (local.get $p))) (then (local.set $seen (i32.const -1))))
  (i32.store offset=${at.seen} (local.get $p) (local.get $seen))
  (i32.and (i32.gt_u (local.get $seen) (i32.const ${CONSTANT_AFTER})) (i32.ne (local.get $seen) (i32.const -1))))

;; Whether the $size bytes at $p and $q are the same.
(func $isSame (param $p i32) (param $q i32) (param $size i32) (result i32) (local $stop i32)
  (local.set $stop (i32.sub (i32.add (local.get $p) (local.get $size)) (i32.const 8)))
  (block $short (loop $next
    (br_if $short (i32.gt_u (local.get $p) (local.get $stop)))
    (if (i64.ne (i64.load (local.get $p)) (i64.load (local.get $q))) (then (return (i32.const 0))))
    (local.set $p (i32.add (local.get $p) (i32.const 8)))
    (local.set $q (i32.add (local.get $q) (i32.const 8)))
    (br $next)))
  (i64.eq
    (call $lowBytes (local.get $p) (i32.and (local.get $size) (i32.const 7)))
    (call $lowBytes (local.get $q) (i32.and (local.get $size) (i32.const 7)))))

;; The first $size bytes at $p, fewer than 8.
(func $lowBytes (param $p i32) (param $size i32) (result i64)
  (i64.and
    (i64.load (local.get $p))
    (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (i32.shl (local.get $size) (i32.const 3)))) (i64.const 1))))

(func $hashOf (param $p i32) (param $end i32) (result i32) (local $hash i64) (local $stop i32)
  (local.set $stop (i32.sub (local.get $end) (i32.const 8)))
  (block $short (loop $next
    (br_if $short (i32.gt_u (local.get $p) (local.get $stop)))
    (local.set $hash (i64.mul (i64.xor (local.get $hash) (i64.load (local.get $p))) (i64.const ${HASH_FACTOR})))
    (local.set $hash (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 32))))
    (local.set $p (i32.add (local.get $p) (i32.const 8)))
    (br $next)))
  (local.set $hash (i64.mul
    (i64.xor (local.get $hash) (call $lowBytes (local.get $p) (i32.sub (local.get $end) (local.get $p))))
    (i64.const ${HASH_FACTOR})))
  (i32.wrap_i64 (i64.shr_u (local.get $hash) (i64.const 32))))

;; Writes the hash of each of $texts texts, beginning with the one at textStarts.
(func $hashTexts (param $texts i32) (result i32) (local $p i32) (local $stop i32)
  (local.set $stop (i32.shl (local.get $texts) (i32.const 2)))
  (block $done (loop $next
    (br_if $done (i32.ge_u (local.get $p) (local.get $stop)))
    (i32.store offset=${at.textHashes} (local.get $p) (call $hashOf
      (i32.load offset=${at.textStarts} (local.get $p)) (i32.load offset=${at.textStarts + 4} (local.get $p))))
    (local.set $p (i32.add (local.get $p) (i32.const 4)))
    (br $next)))
  (local.get $texts))

;; Notes which text that of $row is, which ends the text so far: $count of them, looked up in a table of $mask + 1 slots. Returns
;; how many there are then, more than before when it is a new one.
(func $internText (param $first i32) (param $end i32) (param $row i32) (param $count i32) (param $mask i32) (result i32)
  (local $hash i32) (local $slot i32) (local $probes i32) (local $known i32) (local $p i32)
  (local.set $hash (call $hashOf (local.get $first) (local.get $end)))
  (local.set $slot (local.get $hash))
  (i32.store offset=${at.textStarts} (i32.shl (local.get $count) (i32.const 2)) (local.get $first))
  (block $isNew (loop $nextSlot
    (local.set $slot (i32.and (local.get $slot) (local.get $mask)))
    (local.set $p (i32.shl (local.get $slot) (i32.const 2)))
    (local.set $known (i32.load offset=${at.textTable} (local.get $p)))
    (if (i32.eqz (local.get $known)) (then
      (i32.store offset=${at.textTable} (local.get $p) (i32.add (local.get $count) (i32.const 1)))
      (br $isNew)))
    (local.set $known (i32.sub (local.get $known) (i32.const 1)))
    (local.set $p (i32.shl (local.get $known) (i32.const 2)))
    (block $differs
      (br_if $differs (i32.ne (i32.load offset=${at.textHashes} (local.get $p)) (local.get $hash)))
      (br_if $differs (i32.ne
        (i32.sub (i32.load offset=${at.textStarts + 4} (local.get $p)) (i32.load offset=${at.textStarts} (local.get $p)))
        (i32.sub (local.get $end) (local.get $first))))
      (br_if $differs (i32.eqz (call $isSame
        (i32.load offset=${at.textStarts} (local.get $p)) (local.get $first) (i32.sub (local.get $end) (local.get $first)))))
      (i32.store offset=${at.texts} (i32.shl (local.get $row) (i32.const 2)) (local.get $known))
      (return (local.get $count)))
    (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
    (local.set $probes (i32.add (local.get $probes) (i32.const 1)))
    (br_if $nextSlot (i32.lt_u (local.get $probes) (i32.const ${MAX_PROBES})))))
  (local.set $p (i32.shl (local.get $count) (i32.const 2)))
  (i32.store offset=${at.textHashes} (local.get $p) (local.get $hash))
  (i32.store offset=${at.textStarts + 4} (local.get $p) (local.get $end))
  (i32.store offset=${at.texts} (i32.shl (local.get $row) (i32.const 2)) (local.get $count))
  (i32.add (local.get $count) (i32.const 1)))

;; Cuts the lines into texts at text, each of which is there once, numbers and hex. Returns the end of the texts, 0 when there is no room.
(func $encode (param $rows i32) (param $valueColumns i32) (param $textEnd i32) (param $tableMask i32) (result i32)
  (local $first i32) (local $texts i32) (local $row i32) (local $in i32) (local $end i32) (local $out i32) (local $v v128) (local $mask i32)
  (local $lineStart i32) (local $emitted i32) (local $byte i32) (local $start i32) (local $stop i32) (local $kinds i32)
  (local $digits i32) (local $hex i32) (local $h i32) (local $p i32) (local $k i32) (local $size i32)
  (local $clockRow i32) (local $x i32) (local $limit i32) (local $context i32) (local $count i32)
  (local.set $in (i32.const ${at.lines}))
  (local.set $out (i32.const ${at.text}))
  (local.set $hex (i32.const ${at.hex}))
  (local.set $clockRow (i32.const -1))
  (block $allRows (loop $nextRow
    (br_if $allRows (i32.eq (local.get $row) (local.get $rows)))
    (local.set $lineStart (local.get $in))
    (local.set $first (local.get $out))
    (local.set $emitted (local.get $in))
    (local.set $end (i32.load offset=${at.lineEnds} (i32.shl (local.get $row) (i32.const 2))))
    (block $endOfRow (loop $scan
      (if (i32.ge_u (local.get $out) (local.get $textEnd)) (then (return (i32.const 0))))
      (local.set $v (v128.load (local.get $in)))
      (v128.store (local.get $out) (local.get $v))
      ;; digits and bytes that would be operations
      (local.set $mask (i8x16.bitmask (v128.or
        (i8x16.lt_u (i8x16.sub (local.get $v) (i8x16.splat (i32.const 48))) (i8x16.splat (i32.const 10)))
        (i8x16.lt_u (local.get $v) (i8x16.splat (i32.const 9))))))
      (local.set $size (i32.ctz (i32.or (local.get $mask) (i32.const 65536))))
      (local.set $in (i32.add (local.get $in) (local.get $size)))
      (local.set $out (i32.add (local.get $out) (local.get $size)))
      (if (i32.ge_u (local.get $in) (local.get $end)) (then
        (local.set $out (i32.sub (local.get $out) (i32.sub (local.get $in) (local.get $end))))
        (local.set $in (local.get $end))
        (br $endOfRow)))
      (br_if $scan (i32.eqz (local.get $mask)))
      (local.set $byte (i32.load8_u (local.get $in)))
      (if (i32.lt_u (local.get $byte) (i32.const 9)) (then
        (i32.store8 (local.get $out) (i32.const 0))
        (i32.store8 offset=1 (local.get $out) (i32.add (local.get $byte) (i32.const ${OPERAND})))
        (local.set $out (i32.add (local.get $out) (i32.const 2)))
        (local.set $in (i32.add (local.get $in) (i32.const 1)))
        (local.set $emitted (local.get $in))
        (br $scan)))

      ;; the run of hexadecimal digits around
      (local.set $start (local.get $in))
      (block $isStart (loop $back
        (br_if $isStart (i32.le_u (local.get $start) (local.get $emitted)))
        (br_if $isStart (i32.eqz (i32.and (i32.const 3) (i32.load8_u offset=${at.classes} (i32.load8_u (i32.sub (local.get $start) (i32.const 1)))))))
        (local.set $start (i32.sub (local.get $start) (i32.const 1)))
        (br $back)))
      (local.set $kinds (i32.const 0))
      (if (i32.lt_u (local.get $start) (local.get $in)) (then (local.set $kinds (i32.const ${HEX_LETTER}))))
      (local.set $stop (local.get $in))
      (block $isStop (loop $forward
        (br_if $isStop (i32.ge_u (local.get $stop) (local.get $end)))
        (local.set $byte (i32.load8_u offset=${at.classes} (i32.load8_u (local.get $stop))))
        (br_if $isStop (i32.eqz (i32.and (i32.const 3) (local.get $byte))))
        (local.set $kinds (i32.or (local.get $kinds) (local.get $byte)))
        (local.set $stop (i32.add (local.get $stop) (i32.const 1)))
        (br $forward)))
      (local.set $digits (i32.sub (local.get $stop) (local.get $start)))
      (block $isNotHex
        (br_if $isNotHex (i32.ne (local.get $kinds) (i32.const 3)))
        (br_if $isNotHex (i32.lt_u (local.get $digits) (i32.const ${MIN_HEX_DIGITS})))
        (br_if $isNotHex (i32.gt_u (local.get $digits) (i32.const ${MAX_HEX_DIGITS})))
        (if (i32.lt_u (local.get $stop) (local.get $end)) (then
          (br_if $isNotHex (i32.load8_u offset=${at.classes} (i32.load8_u (local.get $stop))))))
        (if (i32.gt_u (local.get $start) (local.get $lineStart)) (then
          (br_if $isNotHex (i32.load8_u offset=${at.classes} (i32.load8_u (i32.sub (local.get $start) (i32.const 1)))))))
        (local.set $out (i32.sub (local.get $out) (i32.sub (local.get $in) (local.get $start))))
        (local.set $h (call $packHex (local.get $start) (local.get $stop) (local.get $hex)))
        (local.set $in (local.get $stop))
        (local.set $emitted (local.get $stop))
        (local.set $k (call $findValue (local.get $row) (local.get $digits) (local.get $hex) (local.get $valueColumns)))
        (if (i32.lt_u (local.get $k) (local.get $valueColumns)) (then
          (i32.store8 (local.get $out) (i32.const 7))
          (i32.store8 offset=1 (local.get $out) (i32.add (local.get $k) (i32.const ${OPERAND})))
          (local.set $out (i32.add (local.get $out) (i32.const 2)))
          (br $scan)))
        (i32.store8 (local.get $out) (i32.const 3))
        (i32.store8 offset=1 (local.get $out) (i32.add (local.get $digits) (i32.const ${OPERAND})))
        (local.set $out (i32.add (local.get $out) (i32.const 2)))
        (local.set $hex (local.get $h))
        (br $scan))

      (block $isNotClock
        (br_if $isNotClock (i32.ne (i32.load8_u offset=2 (local.get $in)) (i32.const 58)))
        (if (i32.ne (local.get $clockRow) (local.get $row)) (then
          (local.set $clockRow (local.get $row))
          (call $putClock (i32.load offset=${at.rowMs} (i32.shl (local.get $row) (i32.const 2))) (i32.const ${at.clock}))))
        (local.set $k (call $clockAt (local.get $in) (local.get $end)))
        (br_if $isNotClock (i32.eqz (local.get $k)))
        (i32.store8 (local.get $out) (local.get $k))
        (local.set $out (i32.add (local.get $out) (i32.const 1)))
        (local.set $in (i32.add (local.get $in) (i32.const 8)))
        (if (i32.ne (local.get $k) (i32.const 4)) (then (local.set $in (i32.add (local.get $in) (i32.const 4)))))
        (local.set $emitted (local.get $in))
        (br $scan))

      ;; a number of at most nine digits
      (local.set $limit (i32.add (local.get $in) (i32.const 9)))
      (if (i32.gt_u (local.get $limit) (local.get $end)) (then (local.set $limit (local.get $end))))
      (local.set $x (i32.const 0))
      (local.set $stop (local.get $in))
      (block $isStop (loop $nextDigit
        (local.set $byte (i32.sub (i32.load8_u (local.get $stop)) (i32.const 48)))
        (br_if $isStop (i32.ge_u (local.get $byte) (i32.const 10)))
        (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 10)) (local.get $byte)))
        (local.set $stop (i32.add (local.get $stop) (i32.const 1)))
        (br_if $nextDigit (i32.lt_u (local.get $stop) (local.get $limit)))))
      (local.set $digits (i32.sub (local.get $stop) (local.get $in)))
      (local.set $context (call $contextOf (local.get $out) (local.get $first)))
      (local.set $p (i32.shl (local.get $context) (i32.const 2)))
      (if (call $isConstant (local.get $p) (i32.add (local.get $x) (i32.shl (local.get $digits) (i32.const 30)))) (then
        (v128.store (local.get $out) (v128.load (local.get $in)))
        (local.set $out (i32.add (local.get $out) (local.get $digits)))
        (local.set $in (local.get $stop))
        (local.set $emitted (local.get $stop))
        (br $scan)))
      (if (i32.eq (local.get $count) (i32.const ${MAX_SLOT_NUMBERS})) (then (return (i32.const 0))))
      (i32.store offset=${at.numbers} (i32.shl (local.get $count) (i32.const 2)) (local.get $x))
      (i32.store16 offset=${at.contexts} (i32.shl (local.get $count) (i32.const 1)) (local.get $context))
      (i32.store offset=${at.counts} (local.get $p) (i32.add (i32.load offset=${at.counts} (local.get $p)) (i32.const 1)))
      (local.set $count (i32.add (local.get $count) (i32.const 1)))
      (if (i32.and (i32.gt_u (local.get $digits) (i32.const 1)) (i32.eq (i32.load8_u (local.get $in)) (i32.const 48)))
        (then
          (i32.store8 (local.get $out) (i32.const 2))
          (i32.store8 offset=1 (local.get $out) (i32.add (local.get $digits) (i32.const ${OPERAND})))
          (local.set $out (i32.add (local.get $out) (i32.const 2))))
        (else
          (i32.store8 (local.get $out) (i32.const 1))
          (local.set $out (i32.add (local.get $out) (i32.const 1)))))
      (local.set $in (local.get $stop))
      (local.set $emitted (local.get $stop))
      (br $scan)))
    (i32.store8 (local.get $out) (i32.const 8))
    (local.set $out (i32.add (local.get $out) (i32.const 1)))
    (local.set $x (call $internText (local.get $first) (local.get $out) (local.get $row) (local.get $texts) (local.get $tableMask)))
    (if (i32.eq (local.get $x) (local.get $texts)) (then (local.set $out (local.get $first))))
    (local.set $texts (local.get $x))
    (local.set $row (i32.add (local.get $row) (i32.const 1)))
    (br $nextRow)))
  (i32.store offset=${at.results} (i32.const 0) (local.get $count))
  (i32.store offset=${at.results + 4} (i32.const 0) (local.get $hex))
  (i32.store offset=${at.results + 8} (i32.const 0) (local.get $texts))
  (local.get $out))
`
