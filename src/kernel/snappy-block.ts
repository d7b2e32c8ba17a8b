/**
 * Decompresses raw snappy blocks into memory of the caller's, by a WebAssembly kernel: the bindings of the native library make
 * two new buffers for each block, and at 50 MB/s those cost more than the decompression.
 *
 * Format: https://github.com/google/snappy/blob/main/format_description.txt
 */
import { layoutMemory, type WasmFunction, assembleWasm } from './wasm-text.ts'

/** Larger blocks are not for this kernel. */
export const MAX_SNAPPY_BYTES = 4 * 1024 * 1024
/** Bytes that one step may read or write beyond the end of a block or its content. */
const SLACK = 64

const at = layoutMemory({
  /** A kernel's answer of 0 means damage, so nothing lies there. */
  nothing: 1,
  block: MAX_SNAPPY_BYTES + SLACK,
  content: MAX_SNAPPY_BYTES + SLACK,
  end: 0,
})

const kernelText = `
;; copies $size bytes, 16 at a time; up to 15 bytes more are overwritten
(func $copy (param $from i32) (param $to i32) (param $size i32) (local $end i32)
  (local.set $end (i32.add (local.get $to) (local.get $size)))
  (loop $next
    (v128.store (local.get $to) (v128.load (local.get $from)))
    (local.set $from (i32.add (local.get $from) (i32.const 16)))
    (local.set $to (i32.add (local.get $to) (i32.const 16)))
    (br_if $next (i32.lt_u (local.get $to) (local.get $end)))))

;; repeats what lies $distance before $to for $size bytes; up to 7 bytes more are overwritten
(func $repeat (param $distance i32) (param $to i32) (param $size i32) (local $end i32)
  (local.set $end (i32.add (local.get $to) (local.get $size)))
  (if (i32.ge_u (local.get $distance) (i32.const 8))
    (then (loop $next
      (i64.store (local.get $to) (i64.load (i32.sub (local.get $to) (local.get $distance))))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $to) (local.get $end)))))
    (else (loop $nextByte
      (i32.store8 (local.get $to) (i32.load8_u (i32.sub (local.get $to) (local.get $distance))))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (br_if $nextByte (i32.lt_u (local.get $to) (local.get $end)))))))

;; Decompresses from $in, behind the size, up to $inEnd. Whether exactly $size bytes came out.
(func $decompress (param $in i32) (param $inEnd i32) (param $size i32) (result i32)
  (local $out i32) (local $outEnd i32) (local $tag i32) (local $kind i32) (local $length i32) (local $distance i32)
  (local.set $out (i32.const ${at.content}))
  (local.set $outEnd (i32.add (local.get $out) (local.get $size)))
  (block $damaged (block $done (loop $next
    (br_if $done (i32.ge_u (local.get $in) (local.get $inEnd)))
    (local.set $tag (i32.load8_u (local.get $in)))
    (local.set $in (i32.add (local.get $in) (i32.const 1)))
    (local.set $kind (i32.and (local.get $tag) (i32.const 3)))
    (if (i32.eqz (local.get $kind))
      (then
        (local.set $length (i32.shr_u (local.get $tag) (i32.const 2)))
        (if (i32.ge_u (local.get $length) (i32.const 60)) (then
          ;; the length stands in the 1 to 4 bytes that follow
          (local.set $kind (i32.sub (local.get $length) (i32.const 59)))
          (local.set $length (i32.and
            (i32.load (local.get $in))
            (i32.shr_u (i32.const -1) (i32.shl (i32.sub (i32.const 4) (local.get $kind)) (i32.const 3)))))
          (local.set $in (i32.add (local.get $in) (local.get $kind)))
          (br_if $damaged (i32.gt_u (local.get $in) (local.get $inEnd)))))
        (br_if $damaged (i32.ge_u (local.get $length) (i32.sub (local.get $inEnd) (local.get $in))))
        (br_if $damaged (i32.ge_u (local.get $length) (i32.sub (local.get $outEnd) (local.get $out))))
        (local.set $length (i32.add (local.get $length) (i32.const 1)))
        (call $copy (local.get $in) (local.get $out) (local.get $length))
        (local.set $in (i32.add (local.get $in) (local.get $length))))
      (else
        (if (i32.eq (local.get $kind) (i32.const 1))
          (then
            (local.set $length (i32.add (i32.and (i32.shr_u (local.get $tag) (i32.const 2)) (i32.const 7)) (i32.const 4)))
            (local.set $distance (i32.or
              (i32.shl (i32.shr_u (local.get $tag) (i32.const 5)) (i32.const 8))
              (i32.load8_u (local.get $in))))
            (local.set $in (i32.add (local.get $in) (i32.const 1))))
          (else
            (local.set $length (i32.add (i32.shr_u (local.get $tag) (i32.const 2)) (i32.const 1)))
            (if (i32.eq (local.get $kind) (i32.const 2))
              (then
                (local.set $distance (i32.load16_u (local.get $in)))
                (local.set $in (i32.add (local.get $in) (i32.const 2))))
              (else
                (local.set $distance (i32.load (local.get $in)))
                (local.set $in (i32.add (local.get $in) (i32.const 4)))))))
        (br_if $damaged (i32.gt_u (local.get $in) (local.get $inEnd)))
        (br_if $damaged (i32.eqz (local.get $distance)))
        (br_if $damaged (i32.gt_u (local.get $distance) (i32.sub (local.get $out) (i32.const ${at.content}))))
        (br_if $damaged (i32.gt_u (local.get $length) (i32.sub (local.get $outEnd) (local.get $out))))
        (if (i32.ge_u (local.get $distance) (i32.const 16))
          (then (call $copy (i32.sub (local.get $out) (local.get $distance)) (local.get $out) (local.get $length)))
          (else (call $repeat (local.get $distance) (local.get $out) (local.get $length))))))
    (local.set $out (i32.add (local.get $out) (local.get $length)))
    (br $next)))
  (return (i32.eq (local.get $out) (local.get $outEnd))))
  (i32.const 0))
`

type Kernel = { readonly bytes: Buffer; readonly decompress: WasmFunction }

let made: Kernel | undefined

function kernel(): Kernel {
  if (made === undefined) {
    const { memory, functions } = assembleWasm(kernelText, at.end)
    made = { bytes: Buffer.from(memory), decompress: functions['decompress']! }
  }
  return made
}

/**
 * Fills `content` from `block`, whose size of content (a uvarint of `headBytes` bytes) the caller has read. Both are at most
 * {@link MAX_SNAPPY_BYTES}. @returns false when the block is damaged or holds another number of bytes.
 */
export function decompressSnappyBlock(block: Uint8Array, headBytes: number, content: Uint8Array): boolean {
  const { bytes, decompress } = kernel()
  bytes.set(block, at.block)
  if (decompress(at.block + headBytes, at.block + block.length, content.length) === 0) return false
  content.set(bytes.subarray(at.content, at.content + content.length))
  return true
}
