/** Sizes in bytes as configuration files write them (1024-based: `256KB` = 262,144), and how people read them. */
const units: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
  P: 1024 ** 5,
}

/** Bytes, or undefined when `text` is not a size. `64MB`, `64MiB`, `64M` and `64mb` are the same. */
export function parseByteSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?$/i.exec(text.trim())
  if (!match) return undefined
  return Math.round(Number(match[1]) * (units[(match[2] ?? '').toUpperCase()] ?? 1))
}

/** The shortest exact text: 262144 → `256KB`, 1000 → `1000B`. */
export function formatByteSize(bytes: number): string {
  for (const unit of ['P', 'T', 'G', 'M', 'K']) {
    const size = units[unit] ?? 1
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}B`
  }
  return `${bytes}B`
}

/** For people: about three digits, in the largest unit that fits. */
export function roundByteSize(bytes: number): string {
  const unit = [2 ** 40, 2 ** 30, 2 ** 20, 2 ** 10].find((one) => bytes >= 10 * one) ?? 1
  return formatByteSize(Math.round(bytes / unit) * unit)
}
