/** A task of many faces for the tests of the pool. */
import { LimitExceeded, Corruption } from '#/kernel/errors.ts'
import { type CancelFlag, Transfer, defineTask } from '#/platform/workers/task.ts'

export type SampleInput =
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'fill'; readonly shared: SharedArrayBuffer }
  | { readonly kind: 'move'; readonly buffer: ArrayBuffer }
  | { readonly kind: 'hold'; readonly gate: SharedArrayBuffer }
  | { readonly kind: 'spin' | 'hang' | 'exit' | 'limit' | 'corrupt' | 'bug' }

export const run = defineTask((input: SampleInput, cancel: CancelFlag): unknown => {
  switch (input.kind) {
    case 'double':
      return input.value * 2
    case 'fill':
      return new Uint8Array(input.shared).fill(7).length
    case 'move':
      return new Transfer({ moved: input.buffer, sizeBytes: input.buffer.byteLength }, [input.buffer])
    case 'hold':
      // waits until the test opens the gate
      Atomics.add(new Int32Array(input.gate), 1, 1)
      Atomics.wait(new Int32Array(input.gate), 0, 0)
      return 'held'
    case 'spin':
      for (;;) cancel.check()
    case 'hang':
      for (;;) Math.sqrt(2)
    case 'exit':
      return process.exit(3)
    case 'limit':
      throw new LimitExceeded('too much', { retryAfterSeconds: 7 })
    case 'corrupt':
      throw new Corruption({ file: 'f', offset: 9 }, 'bad checksum')
    case 'bug':
      throw new TypeError('undefined is not a function')
  }
})
