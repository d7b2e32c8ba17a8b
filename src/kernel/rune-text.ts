/** Every rune from `first` to `last` in order, save for the surrogates. */
export function textOfRunes(first: number, last: number): string {
  const units = new Uint16Array(2 * (last - first + 1))
  let end = 0
  for (let rune = first; rune <= last; rune++) {
    if (rune < 0x10000) {
      if (rune < 0xd800 || rune > 0xdfff) units[end++] = rune
    } else {
      units[end++] = 0xd7c0 + (rune >> 10)
      units[end++] = 0xdc00 + (rune & 0x3ff)
    }
  }
  return Buffer.from(units.buffer, 0, 2 * end).toString('utf16le')
}
