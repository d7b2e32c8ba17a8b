/** Fields of the few small messages that are sent. */
import { writeUvarint } from '#/kernel/varint.ts'

/** Most bytes of a tag with a number behind it. */
const maxHeadBytes = 11

export function varintField(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(maxHeadBytes)
  bytes[0] = number << 3
  return bytes.subarray(0, writeUvarint(bytes, 1, value))
}

export function field(number: number, content: Uint8Array): Buffer {
  const head = Buffer.alloc(maxHeadBytes)
  head[0] = (number << 3) | 2
  return Buffer.concat([head.subarray(0, writeUvarint(head, 1, content.length)), content])
}
