/**
 * Finds IP addresses in bytes. An IPv4 address may begin at a digit that a point follows within three bytes, an IPv6 address where
 * a colon follows within four; the run of its characters from there must be one as a whole, and the search goes on behind it.
 */
import { latin1Text } from '#/kernel/buffer-text.ts'
import { parseIpAddress, type IpRange } from '#/logs/logql/stages/ip-pattern.ts'

const ZERO = 0x30
const POINT = 0x2e
const COLON = 0x3a
/** `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255` */
const MAX_IPV6 = 45

export type IpScan = (bytes: Buffer, start: number, end: number) => boolean

/** Whether an address in `bytes[start, end)` is in `range`. */
export function compileIpScan(range: IpRange): IpScan {
  if (range.bits === 128) return (bytes, start, end) => containsIpv6(bytes, start, end, range)
  const first = Number(range.first)
  const last = Number(range.last)
  return (bytes, start, end) => {
    for (let at = start; at + 3 < end; at++) {
      if (!beginsIpv4(bytes, at)) continue
      const run = runEnd(bytes, at, end)
      const value = ipv4Value(bytes, at, run)
      if (value >= first && value <= last) return true
      at = run - 1
    }
    return false
  }
}

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= ZERO + 9

/** One to three digits and a point. */
function beginsIpv4(bytes: Buffer, at: number): boolean {
  if (!isDigit(bytes[at]!)) return false
  const second = bytes[at + 1]!
  if (second === POINT) return true
  if (!isDigit(second)) return false
  const third = bytes[at + 2]!
  return third === POINT || (isDigit(third) && bytes[at + 3] === POINT)
}

function runEnd(bytes: Buffer, from: number, end: number): number {
  let at = from
  while (at < end && (isDigit(bytes[at]!) || bytes[at] === POINT)) at++
  return at
}

/** -1 when it is not an address: four numbers up to 255 without leading zeros. */
function ipv4Value(bytes: Buffer, start: number, end: number): number {
  let value = 0
  let part = 0
  let digits = 0
  let points = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte === POINT) {
      if (digits === 0 || ++points > 3) return -1
      value = value * 256 + part
      part = 0
      digits = 0
      continue
    }
    if (digits > 0 && part === 0) return -1
    part = part * 10 + byte - ZERO
    if (++digits > 3 || part > 255) return -1
  }
  return points === 3 && digits > 0 ? value * 256 + part : -1
}

function containsIpv6(bytes: Buffer, start: number, end: number, range: IpRange): boolean {
  for (let at = start; at < end; at++) {
    if (!beginsIpv6(bytes, at, end)) continue
    let run = at
    while (run < end && (isIpv6Byte(bytes[run]!) || bytes[run] === POINT)) run++
    if (run - at <= MAX_IPV6) {
      const address = parseIpAddress(latin1Text(bytes, at, run))
      if (address?.bits === 128 && address.value >= range.first && address.value <= range.last) return true
    }
    at = run - 1
  }
  return false
}

/** A hexadecimal digit or a colon, with a colon within four bytes behind. */
function beginsIpv6(bytes: Buffer, at: number, end: number): boolean {
  if (!isIpv6Byte(bytes[at]!)) return false
  const last = Math.min(end - 1, at + 4)
  for (let i = at + 1; i <= last; i++) if (bytes[i] === COLON) return true
  return false
}

/** The colon stands behind the nine. */
const isIpv6Byte = (byte: number): boolean =>
  (byte >= ZERO && byte <= COLON) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66)
