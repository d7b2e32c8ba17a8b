/** Worker task: one block from the pages of one head. */
import { type LogBlockInput, writeLogBlock } from '#/logs/store/write-log-block.ts'
import { defineTask, Transfer } from '#/platform/workers/task.ts'
import type { BlockBytes } from '#/storage/block/v1/writer.ts'

export const run = defineTask((input: LogBlockInput): Transfer<BlockBytes> => {
  const block = writeLogBlock(input)
  return new Transfer(
    block,
    block.parts.map(({ buffer }) => buffer),
  )
})
