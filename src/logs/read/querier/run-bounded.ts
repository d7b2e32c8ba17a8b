/** Runs jobs as they are produced, a bounded number at a time. */

/**
 * The next job is asked for only when there is room, so that its producer sees what came of the earlier ones. The first error
 * ends everything, once the jobs that run have settled.
 */
export async function runBounded<J, R>(
  jobs: AsyncIterable<J>,
  concurrency: number,
  run: (job: J) => Promise<R>,
  accept: (result: R, job: J) => void | Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  const start = (job: J): Promise<void> =>
    run(job)
      .then((result) => accept(result, job))
      .catch((error: unknown) => void failures.push(error))
  try {
    for await (const job of jobs) {
      const task = start(job).finally(() => running.delete(task))
      running.add(task)
      if (running.size >= concurrency) await Promise.race(running)
      if (failures.length > 0) break
    }
  } finally {
    await Promise.all(running)
  }
  if (failures.length > 0) throw failures[0]
}
