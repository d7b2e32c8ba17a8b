/** The side of ./line-slots-kernel.ts that puts lines together, and the search for rows, in WebAssembly's text format. */
import { MAX_HEX_DIGITS } from './line-slots-cut.ts'
import { at, OPERAND } from './line-slots-memory.ts'

/** The parts in which putting together all rows and some rows differ. */
type JoinParts = {
  readonly signature: string
  /** Sets row, and where its line is put; leaves the block done when there is none. */
  readonly beforeRow: string
  readonly behindRow: string
  readonly atEnd: string
}

/** Operation 1, the most frequent one. */
const putNextNumber = `
        (if (i32.eq (local.get $op) (i32.const 1)) (then
        (local.set $p (i32.shl (call $contextOf (local.get $in) (local.get $first)) (i32.const 2)))
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
        (local.set $p (i32.shl (call $contextOf (local.get $in) (local.get $first)) (i32.const 2)))
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

/** Sets in, and the beginning of the text as contexts see it: that of all texts, unless $areApart. */
const enterText = `
      (local.set $in (i32.load offset=${at.textStarts} (i32.shl
        (i32.load offset=${at.texts} (i32.shl (local.get $row) (i32.const 2))) (i32.const 2))))
      (local.set $first (select (local.get $in) (i32.const ${at.text - 8}) (local.get $areApart)))`

const joinLoop = ({ signature, beforeRow, behindRow, atEnd }: JoinParts): string => `
${signature}
  (local $in i32) (local $out i32) (local $row i32) (local $base i32) (local $mask i32) (local $op i32) (local $p i32)
  (local $x i32) (local $digits i32) (local $hex i32) (local $size i32) (local $first i32)
  (local.set $out (i32.const ${at.lines}))
  (local.set $hex (i32.const ${at.hex}))
  (block $damaged
    (block $done (loop $nextRow
      ${beforeRow}
      ${enterText}
      (loop $nextBytes
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
        (local.set $op (i32.load8_u (local.get $in)))
${putNextNumber}
        (if (i32.eq (local.get $op) (i32.const 8)) (then
          (local.set $row (i32.add (local.get $row) (i32.const 1)))
          ${behindRow}
          (br $nextRow)))
${putOthers}    )))
    ${atEnd}
    (return (local.get $out)))
  (i32.const 0))
`

const joinAll = joinLoop({
  signature: `
;; Puts the lines of all rows together. Returns their end, 0 when something does not fit.
(func $decode (param $textEnd i32) (param $rows i32) (param $valueColumns i32) (param $linesEnd i32) (param $hexEnd i32)
  (param $areApart i32) (result i32)`,
  beforeRow: `
      (br_if $done (i32.eq (local.get $row) (local.get $rows)))`,
  behindRow: '',
  atEnd: `
    (br_if $damaged (i32.ne (local.get $out) (local.get $linesEnd)))
    (br_if $damaged (i32.ne (local.get $hex) (local.get $hexEnd)))`,
})

/** Goes to the next row that is wanted, counting the numbers and hexadecimal digits of those between. */
const skipRows = `
      (br_if $done (i32.eq (local.get $next) (local.get $nextEnd)))
      (local.set $target (i32.load (local.get $next)))
      (local.set $next (i32.add (local.get $next) (i32.const 4)))
      (block $isThere (loop $skip
        (br_if $isThere (i32.ge_u (local.get $row) (local.get $target)))
        (local.set $p (i32.shl (i32.load offset=${at.texts} (i32.shl (local.get $row) (i32.const 2))) (i32.const 2)))
        (local.set $hex (i32.add (local.get $hex) (i32.load offset=${at.hexSizes} (local.get $p))))
        (local.set $size (i32.load offset=${at.stepStarts + 4} (local.get $p)))
        (local.set $p (i32.load offset=${at.stepStarts} (local.get $p)))
        (block $counted (loop $count
          (br_if $counted (i32.ge_u (local.get $p) (local.get $size)))
          (local.set $x (i32.load16_u (local.get $p)))
          (i32.store offset=${at.counts} (local.get $x) (i32.add (i32.load offset=${at.counts} (local.get $x)) (i32.const 4)))
          (local.set $p (i32.add (local.get $p) (i32.const 2)))
          (br $count)))
        (local.set $row (i32.add (local.get $row) (i32.const 1)))
        (br $skip)))
      (local.set $out (i32.load offset=${at.lineStarts} (i32.shl (local.get $row) (i32.const 2))))`

const joinSome = joinLoop({
  signature: `
;; Puts the first $wantedRows rows of wanted together, each where lineStarts has its place. Returns where the last one ends, 0 when something
;; does not fit.
(func $decodeRows (param $textEnd i32) (param $rows i32) (param $valueColumns i32) (param $linesEnd i32) (param $hexEnd i32)
  (param $areApart i32) (param $wantedRows i32) (result i32)
  (local $next i32) (local $nextEnd i32) (local $target i32)
  (local.set $next (i32.const ${at.wanted}))
  (local.set $nextEnd (i32.add (local.get $next) (i32.shl (local.get $wantedRows) (i32.const 2))))`,
  beforeRow: skipRows,
  behindRow: `
          (br_if $damaged (i32.ne (local.get $out) (i32.load offset=${at.lineStarts} (i32.shl (local.get $row) (i32.const 2)))))`,
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
;; Writes where the texts up to $textEnd begin, and where the last one ends. Returns how many they are, more than $most when there are
;; more.
(func $findTexts (param $textEnd i32) (param $most i32) (result i32)
  (local $in i32) (local $mask i32) (local $found i32)
  (local.set $in (i32.const ${at.text}))
  (i32.store offset=${at.textStarts} (i32.const 0) (local.get $in))
  (block $done (loop $next
    (br_if $done (i32.ge_u (local.get $in) (local.get $textEnd)))
    (local.set $mask (i8x16.bitmask (i8x16.eq (v128.load (local.get $in)) (i8x16.splat (i32.const 8)))))
    (loop $nextEnd
      (if (local.get $mask) (then
        (br_if $done (i32.ge_u (i32.add (local.get $in) (i32.ctz (local.get $mask))) (local.get $textEnd)))
        (local.set $found (i32.add (local.get $found) (i32.const 1)))
        (br_if $done (i32.gt_u (local.get $found) (local.get $most)))
        (i32.store offset=${at.textStarts} (i32.shl (local.get $found) (i32.const 2))
          (i32.add (i32.add (local.get $in) (i32.ctz (local.get $mask))) (i32.const 1)))
        (local.set $mask (i32.and (local.get $mask) (i32.sub (local.get $mask) (i32.const 1))))
        (br $nextEnd))))
    (local.set $in (i32.add (local.get $in) (i32.const 16)))
    (br $next)))
  (local.get $found))

;; Lists the contexts of the numbers of each of $texts texts, and counts their bytes of hex.
(func $listNumbers (param $texts i32) (param $areApart i32) (result i32)
  (local $text i32) (local $in i32) (local $end i32) (local $mask i32) (local $p i32) (local $first i32) (local $step i32) (local $hex i32)
  (local.set $step (i32.const ${at.steps}))
  (block $done (loop $nextText
    (local.set $p (i32.shl (local.get $text) (i32.const 2)))
    (i32.store offset=${at.stepStarts} (local.get $p) (local.get $step))
    (br_if $done (i32.eq (local.get $text) (local.get $texts)))
    (local.set $in (i32.load offset=${at.textStarts} (local.get $p)))
    (local.set $end (i32.load offset=${at.textStarts + 4} (local.get $p)))
    (local.set $first (select (local.get $in) (i32.const ${at.text - 8}) (local.get $areApart)))
    (local.set $hex (i32.const 0))
    (block $isThere (loop $skip
      (br_if $isThere (i32.ge_u (local.get $in) (local.get $end)))
      ;; 1, 2 and 3
      (local.set $mask (i8x16.bitmask (i8x16.lt_u
        (i8x16.sub (v128.load (local.get $in)) (i8x16.splat (i32.const 1))) (i8x16.splat (i32.const 3)))))
      (if (i32.lt_u (i32.sub (local.get $end) (local.get $in)) (i32.const 16)) (then
        (local.set $mask (i32.and (local.get $mask) (i32.sub
          (i32.shl (i32.const 1) (i32.sub (local.get $end) (local.get $in))) (i32.const 1))))))
      (block $isClear (loop $count
        (br_if $isClear (i32.eqz (local.get $mask)))
        (local.set $p (i32.add (local.get $in) (i32.ctz (local.get $mask))))
        (local.set $mask (i32.and (local.get $mask) (i32.sub (local.get $mask) (i32.const 1))))
        (if (i32.eq (i32.load8_u (local.get $p)) (i32.const 3)) (then
          (local.set $hex (i32.add (local.get $hex) (i32.shr_u
            (i32.sub (i32.load8_u offset=1 (local.get $p)) (i32.const ${OPERAND - 1})) (i32.const 1))))
          (br $count)))
        (i32.store16 (local.get $step) (i32.shl (call $contextOf (local.get $p) (local.get $first)) (i32.const 2)))
        (local.set $step (i32.add (local.get $step) (i32.const 2)))
        (br $count)))
      (local.set $in (i32.add (local.get $in) (i32.const 16)))
      (br $skip)))
    (i32.store offset=${at.hexSizes} (i32.shl (local.get $text) (i32.const 2)) (local.get $hex))
    (local.set $text (i32.add (local.get $text) (i32.const 1)))
    (br $nextText)))
  (local.get $step))
`
