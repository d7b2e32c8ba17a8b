/**
 * Calls `work` for every item, at most `limit` at a time. After a failure nothing new is begun, what runs is awaited, and the
 * first error is thrown.
 */
export async function eachConcurrently<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]()
  const errors: unknown[] = []
  const worker = async (): Promise<void> => {
    while (errors.length === 0) {
      const next = rest.next()
      if (next.done === true) return
      try {
        await work(next.value)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: limit }, worker))
  if (errors.length > 0) throw errors[0]
}
