/** Sends the answer of a running query piece by piece, and from time to time how far it has come. */
import type { QueryData } from '#/logs/wire/query.ts'
import type { RowCursor, SendEvent } from '#/logs/wire/query-stream.ts'
import type { QueryRun } from './query-run.ts'

const PROGRESS_MS = 250

/** `data` when the answer is one piece; rows were sent already. */
export type Answered = { readonly data?: QueryData; readonly next?: RowCursor | undefined }

/** Runs `answer`, which may send rows, and ends the run. */
export async function streamAnswer(run: QueryRun, send: SendEvent, answer: () => Promise<Answered>): Promise<void> {
  const sendProgress = (): Promise<void> => send({ kind: 'progress', progress: run.progress.state })
  let pending: Promise<void> | undefined
  const stopTelling = run.clock.every(PROGRESS_MS, () => {
    // whoever takes events slowly gets the next one when this one is taken
    pending ??= sendProgress()
      .catch(() => undefined)
      .finally(() => (pending = undefined))
  })
  try {
    const { data, next } = await answer()
    run.progress.finish()
    stopTelling()
    await pending
    await sendProgress()
    if (data !== undefined) await send({ kind: 'result', data })
    await send({ kind: 'end', stats: run.finish(), warnings: run.warnings, next })
  } finally {
    stopTelling()
    run.finish()
  }
}
