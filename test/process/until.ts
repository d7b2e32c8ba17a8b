/** Asks again and again until the answer is there. Returns it; fails after `limitMs` with what `describe` says. */
export async function until<T>(
  ask: () => Promise<T | undefined>,
  { limitMs, describe }: { readonly limitMs: number; readonly describe: () => string },
): Promise<T> {
  const end = performance.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${describe()}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Looks again and again until it is so; a minute is far more than any of it takes. */
export async function untilTrue(isSo: () => boolean, describe: () => string): Promise<void> {
  await until(async () => (isSo() ? true : undefined), { limitMs: 60_000, describe })
}
