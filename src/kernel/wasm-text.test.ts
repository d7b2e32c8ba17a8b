import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assembleWasm } from './wasm-text.ts'

const text = `
;; the greatest common divisor
(func $gcd (param $a i32) (param $b i32) (result i32) (local $rest i32)
  (block $done (loop $next
    (br_if $done (i32.eqz (local.get $b)))
    (local.set $rest (i32.rem_u (local.get $a) (local.get $b)))
    (local.set $a (local.get $b))
    (local.set $b (local.get $rest))
    (br $next)))
  (local.get $a))

;; how many of the 16 bytes at $p are below 9
(func $countBelowNine (param $p i32) (result i32) (local $mask i32) (local $count i32)
  (local.set $mask (i8x16.bitmask (i8x16.lt_u (v128.load offset=16 (local.get $p)) (i8x16.splat (i32.const 9)))))
  (loop $next (if (local.get $mask) (then
    (local.set $count (i32.add (local.get $count) (i32.const 1)))
    (local.set $mask (i32.and (local.get $mask) (i32.sub (local.get $mask) (i32.const 1))))
    (br $next))))
  (local.get $count))

;; the lower half of a product of 64 bits when its upper one is not zero
(func $mixed (param $x i32) (result i32) (local $product i64)
  (local.set $product (i64.mul (i64.extend_i32_u (local.get $x)) (i64.const 0x9e3779b97f4a7c15)))
  (select
    (i32.wrap_i64 (local.get $product))
    (i32.const 0)
    (i32.wrap_i64 (i64.shr_u (local.get $product) (i64.const 32)))))

(func $choose (param $x i32) (result i32)
  (block $two (block $one (block $zero
    (br_table $zero $one $two (local.get $x)))
    (return (i32.const 1000000)))
    (return (call $gcd (i32.const 12) (i32.const -2147483648))))
  (if (i32.gt_u (local.get $x) (i32.const 99)) (then (return (i32.const -65))) (else (return (i32.const 64))))
  (i32.const 0))
`

test('functions written as text run', () => {
  const { functions, memory } = assembleWasm(text, 100)
  const { gcd, countBelowNine, choose, mixed } = functions
  assert.equal(gcd?.(84, 36), 12)
  new Uint8Array(memory).set([9, 200, 1, 8, 0, 9, 9, 9], 20)
  assert.equal(countBelowNine?.(4), 16 - 5)
  assert.deepEqual(
    [0, 1, 2, 100].map((x) => choose?.(x)),
    [1_000_000, 4, 64, -65],
  )
  assert.deepEqual(
    [0, 1, 3].map((x) => mixed?.(x)),
    [0, 0x7f4a7c15, 0x7ddf743f],
  )
  assert.equal(memory.byteLength, 65_536)
})

test('what the assembler does not know is told', () => {
  assert.throws(() => assembleWasm('(func $f (f64.nearest))', 1), /unknown instruction f64.nearest/)
  assert.throws(() => assembleWasm('(func $f (br $nowhere))', 1), /label \$nowhere/)
  assert.throws(() => assembleWasm('(func $f (local.set $x (i32.const 1)))', 1), /local \$x/)
  assert.throws(() => assembleWasm('(func $f (call $g))', 1), /function \$g/)
  assert.throws(() => assembleWasm('(func $f', 1), /parentheses/)
})
