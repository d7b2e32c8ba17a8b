/** The side of ./line-slots-kernel.ts that puts lines together, and the search for rows, in WebAssembly's text format. */
import { MAX_HEX_DIGITS } from './line-slots-cut.ts'
import { at, OPERAND } from './line-slots-memory.ts'

/** The parts in which putting together all rows and some rows differ. */
type JoinParts = {
  readonly signature: string
  readonly beforeBytes: string
  readonly behindRow: string
  readonly atEnd: string
}

/** Operation 1, the most frequent one. */
const putNextNumber = `
        (if (i32.eq (local.get $op) (i32.const 1)) (then
        (local.set $p (i32.shl (call $contextOf (local.get $in)) (i32.const 2)))
        (local.set $size (i32.load offset=${at.counts} (local.get $p)))
        (br_if $damaged (i32.ge_u (local.get $size) (i32.load offset=${at.firsts} (local.get $p))))
        (i32.store offset=${at.counts} (local.get $p) (i32.add (local.get $size) (i32.const 4)))
          (local.set $x (i32.load (local.get $size)))
          (br_if $damaged (i32.ge_u (local.get $x) (i32.const 1000000000)))
          (local.set $out (call $putNumber (local.get $x) (local.get $out)))
          (local.set $in (i32.add (local.get $in) (i32.const 1)))
          (br $nextOperation)))
`

/** The operations that are neither a plain number nor the end of a row. */
const putOthers = `
        (block $clock (block $value (block $hexDigits (block $padded (block $escape
          (br_table $escape $damaged $padded $hexDigits $clock $clock $clock $value $damaged (local.get $op)))
          ;; 0: a byte below 9
          (i32.store8 (local.get $out) (i32.sub (i32.load8_u offset=1 (local.get $in)) (i32.const ${OPERAND})))
          (local.set $out (i32.add (local.get $out) (i32.const 1)))
          (local.set $in (i32.add (local.get $in) (i32.const 2)))
          (br $nextOperation))
          ;; 2: a number with zeros before it
        (local.set $p (i32.shl (call $contextOf (local.get $in)) (i32.const 2)))
        (local.set $size (i32.load offset=${at.counts} (local.get $p)))
        (br_if $damaged (i32.ge_u (local.get $size) (i32.load offset=${at.firsts} (local.get $p))))
        (i32.store offset=${at.counts} (local.get $p) (i32.add (local.get $size) (i32.const 4)))
          (local.set $digits (i32.sub (i32.load8_u offset=1 (local.get $in)) (i32.const ${OPERAND})))
          (br_if $damaged (i32.ge_u (i32.sub (local.get $digits) (i32.const 1)) (i32.const 9)))
          (call $putPadded (i32.load (local.get $size)) (local.get $digits) (local.get $out))
          (local.set $out (i32.add (local.get $out) (local.get $digits)))
          (local.set $in (i32.add (local.get $in) (i32.const 2)))
          (br $nextOperation))
          ;; 3: hexadecimal digits
          (local.set $digits (i32.sub (i32.load8_u offset=1 (local.get $in)) (i32.const ${OPERAND})))
          (br_if $damaged (i32.gt_u (local.get $digits) (i32.const ${MAX_HEX_DIGITS})))
          (local.set $size (i32.shr_u (i32.add (local.get $digits) (i32.const 1)) (i32.const 1)))
          (br_if $damaged (i32.gt_u (i32.add (local.get $hex) (local.get $size)) (local.get $hexEnd)))
          (call $putHex (local.get $hex) (local.get $size) (local.get $out))
          (local.set $hex (i32.add (local.get $hex) (local.get $size)))
          (local.set $out (i32.add (local.get $out) (local.get $digits)))
          (local.set $in (i32.add (local.get $in) (i32.const 2)))
          (br $nextOperation))
          ;; 7: a value of metadata
          (local.set $p (i32.sub (i32.load8_u offset=1 (local.get $in)) (i32.const ${OPERAND})))
          (br_if $damaged (i32.ge_u (local.get $p) (local.get $valueColumns)))
          (local.set $p (i32.shl (local.get $p) (i32.const 3)))
          (local.set $size (i32.load offset=${at.valueTable + 4} (local.get $p)))
          (local.set $x (local.get $row))
          (if (i32.load offset=${at.ranksTable} (local.get $p)) (then
            (local.set $x (i32.load
              (i32.add (i32.load offset=${at.ranksTable} (local.get $p)) (i32.shl (local.get $row) (i32.const 2)))))))
          (call $putHex
            (i32.add (i32.load offset=${at.valueTable} (local.get $p)) (i32.mul (local.get $x) (local.get $size)))
            (local.get $size) (local.get $out))
          (local.set $out (i32.add (local.get $out) (i32.shl (local.get $size) (i32.const 1))))
          (local.set $in (i32.add (local.get $in) (i32.const 2)))
          (br $nextOperation))
        ;; 4, 5, 6: the time of day
        (call $putClock (i32.load offset=${at.rowMs} (i32.shl (local.get $row) (i32.const 2))) (local.get $out))
        (local.set $in (i32.add (local.get $in) (i32.const 1)))
        (if (i32.eq (local.get $op) (i32.const 6)) (then (i32.store8 offset=8 (local.get $out) (i32.const 44))))
        (local.set $out (i32.add (local.get $out) (i32.const 8)))
        (if (i32.ne (local.get $op) (i32.const 4)) (then (local.set $out (i32.add (local.get $out) (i32.const 4)))))
        (br $nextOperation))
`

const joinLoop = ({ signature, beforeBytes, behindRow, atEnd }: JoinParts): string => `
${signature}
  (local $in i32) (local $out i32) (local $row i32) (local $base i32) (local $mask i32) (local $op i32) (local $p i32)
  (local $x i32) (local $digits i32) (local $hex i32) (local $size i32)
  (local.set $in (i32.const ${at.text}))
  (local.set $out (i32.const ${at.lines}))
  (local.set $hex (i32.const ${at.hex}))
  (block $damaged
    (block $done (loop $nextBytes
      ${beforeBytes}
      (br_if $damaged (i32.ge_u (local.get $in) (local.get $textEnd)))
      ;; 16 bytes from $base; $mask has a bit for each operation that is still to be done, $in is what comes next
      (local.set $base (local.get $in))
      (local.set $mask (i8x16.bitmask (i8x16.lt_u (v128.load (local.get $base)) (i8x16.splat (i32.const 9)))))
      (loop $nextOperation
        (br_if $damaged (i32.gt_u (local.get $out) (local.get $linesEnd)))
        (v128.store (local.get $out) (v128.load (local.get $in)))
        (if (i32.eqz (local.get $mask)) (then
          (local.set $p (i32.add (local.get $base) (i32.const 16)))
          (if (i32.lt_u (local.get $in) (local.get $p)) (then
            (local.set $out (i32.add (local.get $out) (i32.sub (local.get $p) (local.get $in))))
            (local.set $in (local.get $p))))
          (br $nextBytes)))
        (local.set $p (i32.add (local.get $base) (i32.ctz (local.get $mask))))
        (local.set $mask (i32.and (local.get $mask) (i32.sub (local.get $mask) (i32.const 1))))
        (local.set $out (i32.add (local.get $out) (i32.sub (local.get $p) (local.get $in))))
        (local.set $in (local.get $p))
        (br_if $damaged (i32.ge_u (local.get $in) (local.get $textEnd)))
        (br_if $damaged (i32.eq (local.get $row) (local.get $rows)))
        (local.set $op (i32.load8_u (local.get $in)))
${putNextNumber}
        (if (i32.eq (local.get $op) (i32.const 8)) (then
          (local.set $row (i32.add (local.get $row) (i32.const 1)))
          (local.set $in (i32.add (local.get $in) (i32.const 1)))
          ${behindRow}))
${putOthers}    ))
    ${atEnd}
    (return (local.get $out)))
  (i32.const 0))
`

const joinAll = joinLoop({
  signature: `
;; Puts lines together from the text up to $textEnd. Returns their end, 0 when something does not fit.
(func $decode (param $textEnd i32) (param $rows i32) (param $valueColumns i32) (param $linesEnd i32) (param $hexEnd i32) (result i32)`,
  beforeBytes: '',
  behindRow: `
          (br_if $done (i32.eq (local.get $in) (local.get $textEnd)))
          (br $nextOperation)`,
  atEnd: `
    (br_if $damaged (i32.ne (local.get $out) (local.get $linesEnd)))
    (br_if $damaged (i32.ne (local.get $row) (local.get $rows)))
    (br_if $damaged (i32.ne (local.get $hex) (local.get $hexEnd)))`,
})

/** Goes to the next row that is wanted, counting the numbers and hexadecimal digits on the way. */
const skipRows = `
      (if (local.get $isBetween) (then
        (br_if $done (i32.eq (local.get $next) (local.get $nextEnd)))
        (local.set $row (i32.load (local.get $next)))
        (local.set $next (i32.add (local.get $next) (i32.const 4)))
        (local.set $target (i32.load offset=${at.textStarts} (i32.shl (local.get $row) (i32.const 2))))
        (local.set $out (i32.load offset=${at.lineStarts} (i32.shl (local.get $row) (i32.const 2))))
        (local.set $isBetween (i32.const 0))
        (block $isThere (loop $skip
          (br_if $isThere (i32.ge_u (local.get $in) (local.get $target)))
          ;; 1, 2 and 3
          (local.set $mask (i8x16.bitmask (i8x16.lt_u
            (i8x16.sub (v128.load (local.get $in)) (i8x16.splat (i32.const 1))) (i8x16.splat (i32.const 3)))))
          (if (i32.lt_u (i32.sub (local.get $target) (local.get $in)) (i32.const 16)) (then
            (local.set $mask (i32.and (local.get $mask) (i32.sub
              (i32.shl (i32.const 1) (i32.sub (local.get $target) (local.get $in))) (i32.const 1))))))
          (block $isClear (loop $count
            (br_if $isClear (i32.eqz (local.get $mask)))
            (local.set $p (i32.add (local.get $in) (i32.ctz (local.get $mask))))
            (local.set $mask (i32.and (local.get $mask) (i32.sub (local.get $mask) (i32.const 1))))
            (if (i32.eq (i32.load8_u (local.get $p)) (i32.const 3)) (then
              (local.set $hex (i32.add (local.get $hex) (i32.shr_u
                (i32.sub (i32.load8_u offset=1 (local.get $p)) (i32.const ${OPERAND - 1})) (i32.const 1))))
              (br $count)))
            (local.set $p (i32.shl (call $contextOf (local.get $p)) (i32.const 2)))
            (i32.store offset=${at.counts} (local.get $p)
              (i32.add (i32.load offset=${at.counts} (local.get $p)) (i32.const 4)))
            (br $count)))
          (local.set $in (i32.add (local.get $in) (i32.const 16)))
          (br $skip)))
        (local.set $in (local.get $target))))`

const joinSome = joinLoop({
  signature: `
;; Puts the first $wantedRows rows of wanted together, each where lineStarts has its place. Returns where the last one ends, 0 when something
;; does not fit.
(func $decodeRows (param $textEnd i32) (param $rows i32) (param $valueColumns i32) (param $linesEnd i32) (param $hexEnd i32)
  (param $wantedRows i32) (result i32)
  (local $isBetween i32) (local $next i32) (local $nextEnd i32) (local $target i32)
  (local.set $isBetween (i32.const 1))
  (local.set $next (i32.const ${at.wanted}))
  (local.set $nextEnd (i32.add (local.get $next) (i32.shl (local.get $wantedRows) (i32.const 2))))`,
  beforeBytes: skipRows,
  behindRow: `
          (br_if $damaged (i32.ne (local.get $out) (i32.load offset=${at.lineStarts} (i32.shl (local.get $row) (i32.const 2)))))
          (local.set $isBetween (i32.const 1))
          (br $nextBytes)`,
  atEnd: '',
})

export const joinKernel = `
;; writes $x, below 1000, without zeros in front; returns where it ends
(func $putShort (param $x i32) (param $p i32) (result i32) (local $digits i32) (local $size i32)
  (local.set $digits (i32.load offset=${at.threeDigits} (i32.shl (local.get $x) (i32.const 2))))
  (local.set $size (i32.shr_u (local.get $digits) (i32.const 24)))
  (i32.store (local.get $p) (i32.shr_u (local.get $digits) (i32.shl (i32.sub (i32.const 3) (local.get $size)) (i32.const 3))))
  (i32.add (local.get $p) (local.get $size)))

;; writes $x, below 10^9, without zeros in front; returns where it ends
(func $putNumber (param $x i32) (param $p i32) (result i32) (local $high i32)
  (if (i32.lt_u (local.get $x) (i32.const 1000)) (then (return (call $putShort (local.get $x) (local.get $p)))))
  (local.set $high (i32.div_u (local.get $x) (i32.const 1000)))
  (if (i32.lt_u (local.get $high) (i32.const 1000))
    (then (local.set $p (call $putShort (local.get $high) (local.get $p))))
    (else
      (local.set $p (call $putShort (i32.div_u (local.get $high) (i32.const 1000)) (local.get $p)))
      (i32.store (local.get $p) (i32.load offset=${at.threeDigits} (i32.shl (i32.rem_u (local.get $high) (i32.const 1000)) (i32.const 2))))
      (local.set $p (i32.add (local.get $p) (i32.const 3)))))
  (i32.store (local.get $p) (i32.load offset=${at.threeDigits}
    (i32.shl (i32.sub (local.get $x) (i32.mul (local.get $high) (i32.const 1000))) (i32.const 2))))
  (i32.add (local.get $p) (i32.const 3)))

;; Writes 2 * $bytes digits of the bytes at $p to $out; up to 16 more are overwritten.
(func $putHex (param $p i32) (param $bytes i32) (param $out i32) (local $v v128) (local $end i32)
  (local.set $end (i32.add (local.get $p) (local.get $bytes)))
  (loop $next
    (local.set $v (v128.load64_zero (local.get $p)))
    (v128.store (local.get $out)
      (i8x16.swizzle
        (v128.const 48 49 50 51 52 53 54 55 56 57 97 98 99 100 101 102)
        (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23
          (i8x16.shr_u (local.get $v) (i32.const 4))
          (v128.and (local.get $v) (i8x16.splat (i32.const 15))))))
    (local.set $p (i32.add (local.get $p) (i32.const 8)))
    (local.set $out (i32.add (local.get $out) (i32.const 16)))
    (br_if $next (i32.lt_u (local.get $p) (local.get $end)))))

${joinAll}
${joinSome}
;; Writes where rows begin, behind each end of a row: positions in the text. Returns how many, more than $rows when there are more.
(func $rowStarts (param $textEnd i32) (param $rows i32) (result i32)
  (local $in i32) (local $mask i32) (local $row i32)
  (local.set $in (i32.const ${at.text}))
  (block $done (loop $next
    (br_if $done (i32.ge_u (local.get $in) (local.get $textEnd)))
    (local.set $mask (i8x16.bitmask (i8x16.eq (v128.load (local.get $in)) (i8x16.splat (i32.const 8)))))
    (loop $nextEnd
      (if (local.get $mask) (then
        (br_if $done (i32.ge_u (i32.add (local.get $in) (i32.ctz (local.get $mask))) (local.get $textEnd)))
        (br_if $done (i32.gt_u (local.get $row) (local.get $rows)))
        (if (i32.lt_u (local.get $row) (local.get $rows)) (then
          (i32.store offset=${at.lineEnds} (i32.shl (local.get $row) (i32.const 2))
            (i32.sub (i32.add (local.get $in) (i32.ctz (local.get $mask))) (i32.const ${at.text - 1})))))
        (local.set $row (i32.add (local.get $row) (i32.const 1)))
        (local.set $mask (i32.and (local.get $mask) (i32.sub (local.get $mask) (i32.const 1))))
        (br $nextEnd))))
    (local.set $in (i32.add (local.get $in) (i32.const 16)))
    (br $next)))
  (local.get $row))
`
