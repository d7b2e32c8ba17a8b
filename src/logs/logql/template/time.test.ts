import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectAll, expectFailures, run } from './template-fixture.ts'
import { formatTime } from './time-format.ts'
import { parseTime } from './time-parse.ts'
import type { Time } from './values.ts'
import { findZone, zoneAbbreviation } from './zones.ts'

const utc = (ns: bigint): Time => ({ kind: 'time', ns, zone: 'UTC' })
/** 2009-02-05T21:00:57.012345600Z */
const time = utc(1_233_867_657_012_345_600n)

test('layouts print every field of a time', () => {
  const cases: Readonly<Record<string, string>> = {
    '2006-01-02T15:04:05Z07:00': '2009-02-05T21:00:57Z',
    '2006-01-02T15:04:05.999999999Z07:00': '2009-02-05T21:00:57.0123456Z',
    'Mon Jan _2 15:04:05 2006': 'Thu Feb  5 21:00:57 2009',
    'Monday, 02-Jan-06 15:04:05 MST': 'Thursday, 05-Feb-09 21:00:57 UTC',
    'January 2, 2006 3:4:5pm': 'February 5, 2009 9:0:57pm',
    '1/2/06 03:04PM': '2/5/09 09:00PM',
    '002 __2 0700': '036  36 0700',
    '-0700 -07:00 -07 Z0700 Z07 -070000 -07:00:00': '+0000 +00:00 +00 Z Z +000000 +00:00:00',
    '05.000 05.00 05,999 05.0000000000': '57.012 57.01 57,012 57.0123456000',
    '.00 .99 .0001 .9x': '.01 .01 .0002 x',
    'Janvier Monk Jan2 _2006': 'Janvier Monk Feb5 _2009',
    'no field': 'no field',
    '': '',
  }
  for (const [layout, text] of Object.entries(cases)) assert.equal(formatTime(time, layout), text, layout)
})

test('zones: offsets, names, and summer time', () => {
  const show = (zone: string, ns: bigint): string =>
    formatTime({ kind: 'time', ns, zone }, '2006-01-02 15:04 -0700 MST')
  const [winter, summer] = [1_704_207_845_000_000_000n, 1_719_792_000_000_000_000n]
  assert.equal(show('Europe/Berlin', winter), '2024-01-02 16:04 +0100 CET')
  assert.equal(show('Europe/Berlin', summer), '2024-07-01 02:00 +0200 CEST')
  assert.equal(show('America/New_York', summer), '2024-06-30 20:00 -0400 EDT')
  assert.equal(show('Asia/Tokyo', summer), '2024-07-01 09:00 +0900 JST')
  assert.equal(show('Asia/Kolkata', summer), '2024-07-01 05:30 +0530 IST')
  assert.equal(show('Pacific/Auckland', winter), '2024-01-03 04:04 +1300 NZDT')
  assert.equal(show('Pacific/Auckland', summer), '2024-07-01 12:00 +1200 NZST')
  assert.equal(show('America/Sao_Paulo', summer), '2024-06-30 21:00 -0300 -03')
  assert.equal(findZone('Nowhere/Land'), undefined)
  assert.equal(findZone('+01:00'), undefined)
  assert.equal(findZone(''), 'UTC')
  assert.equal(zoneAbbreviation({ name: '', offsetSeconds: -12_600 }, 0), '-0330')
})

test('texts are read by layouts', () => {
  const show = (layout: string, text: string, zone = 'UTC'): string | undefined => {
    const parsed = parseTime(layout, text, zone)
    return parsed && formatTime(parsed, '2006-01-02T15:04:05.999999999 -0700 MST')
  }
  assert.equal(show('2006-01-02', '2024-02-29'), '2024-02-29T00:00:00 +0000 UTC')
  assert.equal(show('2006-01-02', '2023-02-29'), undefined)
  assert.equal(show('2006-01-02', '2023-2-9'), undefined)
  assert.equal(show('2006-1-2', '2023-02-9'), '2023-02-09T00:00:00 +0000 UTC')
  assert.equal(show('2006-01-02', '2023-02-09x'), undefined)
  assert.equal(show('2006-01-02T15:04:05Z07:00', '2024-01-02T03:04:05.678+02:00'), '2024-01-02T03:04:05.678 +0200 +02')
  assert.equal(show('2006-01-02T15:04:05Z07:00', '2024-01-02T03:04:05Z'), '2024-01-02T03:04:05 +0000 UTC')
  assert.equal(show('2006-01-02T15:04:05.000', '2024-01-02T03:04:05.12'), undefined)
  assert.equal(show('Jan _2 2006 3:04PM', 'feb  3 2021 12:30AM'), '2021-02-03T00:30:00 +0000 UTC')
  assert.equal(show('Monday, January 2 2006 3pm', 'wednesday, MARCH 3 2021 5pm'), '2021-03-03T17:00:00 +0000 UTC')
  assert.equal(show('2006 002', '2024 060'), '2024-02-29T00:00:00 +0000 UTC')
  assert.equal(show('2006 002', '2023 366'), undefined)
  assert.equal(show('02/Jan/06', '07/Oct/68'), '2068-10-07T00:00:00 +0000 UTC')
  assert.equal(show('02/Jan/06', '07/Oct/69'), '1969-10-07T00:00:00 +0000 UTC')
  assert.equal(show('15:04', '24:00'), undefined)
  assert.equal(show('15:04', '23:60'), undefined)
  assert.equal(show('15:04', '7:05'), '0000-01-01T07:05:00 +0000 UTC')
  assert.equal(show('2006-01-02 15:04', '2024-07-01 12:00', 'Europe/Berlin'), '2024-07-01T12:00:00 +0200 CEST')
  assert.equal(show('2006-01-02 15:04 MST', '2024-07-01 12:00 CEST', 'Europe/Berlin'), '2024-07-01T12:00:00 +0200 CEST')
  assert.equal(show('2006-01-02 15:04 MST', '2024-07-01 12:00 PDT', 'Europe/Berlin'), '2024-07-01T12:00:00 +0000 PDT')
  assert.equal(show('2006-01-02 15:04 MST', '2024-07-01 12:00 GMT+3', 'UTC'), '2024-07-01T12:00:00 +0300 GMT+3')
  assert.equal(show('2006-01-02 -0700', '2024-07-01 +0200', 'Europe/Berlin'), '2024-07-01T00:00:00 +0200 CEST')
})

test('what is printed can be read again', () => {
  for (const layout of [
    '2006-01-02T15:04:05.999999999Z07:00',
    'Mon, 02 Jan 2006 15:04:05.000000000 -0700',
    '2006 __2 3:04:05.999999999 PM',
  ])
    assert.equal(parseTime(layout, formatTime(time, layout), 'UTC')?.ns, time.ns, layout)
})

test('the functions on times', () => {
  expectAll({
    '{{ __timestamp__ }}': '2024-01-02 15:04:05.123 +0000 UTC',
    '{{ now }}': '2024-07-01 00:00:00.5 +0000 UTC',
    '{{ date "2006-01-02 15h" __timestamp__ }}|{{ __timestamp__ | date "Jan 2" }}': '2024-01-02 15h|Jan 2',
    '{{ date "2006-01-02" 86400 }}|{{ date "2006" "text" }}|{{ date "2006" 1.5 }}': '1970-01-02|2024|2024',
    '{{ toDate "2006-01-02" "2024-03-04" }}': '2024-03-04 00:00:00 +0000 UTC',
    '{{ toDate "2006-01-02" "x" }}': '0001-01-01 00:00:00 +0000 UTC',
    '{{ toDate "2006-01-02" "x" | unixEpoch }}': '-62135596800',
    '{{ toDateInZone "2006-01-02 15:04" "Europe/Berlin" "2024-07-01 12:00" | unixEpoch }}': '1719828000',
    '{{ toDateInZone "2006-01-02" "No/Where" "2024-07-01" }}': '2024-07-01 00:00:00 +0000 UTC',
    '{{ toDateInZone "2006-01-02" "UTC" "" }}': '0001-01-01 00:00:00 +0000 UTC',
    '{{ __timestamp__ | unixEpoch }} {{ unixEpochMillis __timestamp__ }} {{ unixEpochNanos __timestamp__ }}':
      '1704207845 1704207845123 1704207845123000000',
    '{{ unixToTime "19724" }} {{ unixToTime "1704207845" | unixEpoch }}': '2024-01-02 00:00:00 +0000 UTC 1704207845',
    '{{ unixToTime "1704207845123" }}': '2024-01-02 15:04:05.123 +0000 UTC',
    '{{ unixToTime "1704207845123456" }}': '2024-01-02 15:04:05.123456 +0000 UTC',
    '{{ unixToTime "1704207845123456789" }}': '2024-01-02 15:04:05.123456789 +0000 UTC',
    '{{ __timestamp__.Year }} {{ __timestamp__.Format "15:04" }} {{ (now).Unix }} {{ now.After __timestamp__ }}':
      '2024 15:04 1719792000 true',
    '{{ $t := now }}{{ $t.Weekday }} {{ $t.YearDay }} {{ $t.Month }} {{ $t.IsZero }}': 'Monday 183 July false',
    '{{ __line__ | upper }}': 'THE LINE',
  })
  assert.equal(run('{{ __timestamp__ }}', {}, 'Europe/Berlin'), '2024-01-02 16:04:05.123 +0100 CET')
  assert.equal(run('{{ date "15:04 MST" __timestamp__ }}', {}, 'America/New_York'), '10:04 EST')
  assert.equal(run('{{ toDate "2006-01-02" "2024-07-01" }}', {}, 'Asia/Tokyo'), '2024-07-01 00:00:00 +0900 JST')
  expectFailures({
    '{{ unixToTime "abc" }}':
      'template: line:1:3: executing "line" at <unixToTime "abc">: error calling unixToTime: unable to parse time \'abc\': strconv.ParseInt: parsing "abc": invalid syntax',
    '{{ unixToTime "123" }}':
      'template: line:1:3: executing "line" at <unixToTime "123">: error calling unixToTime: unable to parse time \'123\'',
    '{{ now.Nothing }}':
      'template: line:1:6: executing "line" at <now.Nothing>: can\'t evaluate field Nothing in type time.Time',
    '{{ date "2006" }}': 'template: line:1:3: executing "line" at <date>: wrong number of args for date: want 2 got 1',
  })
})

test('times far from now neither fail nor hang', () => {
  assert.match(run('{{ date "2006" 9223372036854775807 }} {{ date "2006" -9223372036854775808 }}'), /^9999 0001$/)
  assert.match(run('{{ unixToTime "99999" }}'), /^2243-10-16/)
})
