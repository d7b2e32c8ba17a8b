/** The same things in an order in which the first few come from everywhere: halves, quarters, eighths … of the list in turn. */
export function spreadOut<T>(things: readonly T[]): readonly T[] {
  const spread: T[] = []
  let step = 1
  while (step < things.length) step *= 2
  const isTaken = new Uint8Array(things.length)
  for (; step >= 1; step /= 2) {
    for (let at = 0; at < things.length; at += step) {
      if (isTaken[at] === 1) continue
      isTaken[at] = 1
      spread.push(things[at]!)
    }
  }
  return spread
}
