/** Patterns of lines as programs write them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { PatternMiner } from './pattern-miner.ts'

function patternsOf(lines: readonly string[]): [lines: number, pattern: string][] {
  const miner = new PatternMiner(10e9)
  for (const text of lines) {
    const bytes = Buffer.from(text)
    miner.add(bytes, 0, bytes.length, { stream: 0, level: 0, time: 0, lines: 1 })
  }
  const { texts, counts } = miner.finish()
  return [...counts.text]
    .map((text, i): [number, string] => [counts.counts[i]!, texts[text]!])
    .toSorted((a, b) => b[0] - a[0] || (a[1] < b[1] ? -1 : 1))
}

test('words stay, what has digits becomes a hole', () => {
  assert.deepEqual(
    patternsOf([
      '2026-11-22T07:00:00Z connected to 10.0.0.1:80, took 12ms.',
      '2026-11-22T07:00:01Z connected to 10.0.0.2:80, took 7ms.',
      'GET /users/12?page=3 HTTP/1.1',
      'no digits: at all',
    ]),
    [
      [2, '<_> connected to <_>, took <_>'],
      [1, 'GET <_>=<_> <_>'],
      [1, 'no digits: at all'],
    ],
  )
})

test('fields: names, messages and levels stay, other values are holes', () => {
  assert.deepEqual(
    patternsOf([
      'ts=2026 level=info msg="order placed" user=ann duration=5ms note="" p99=4',
      'ts=2027 level=info msg="order placed" user=bob duration=7ms note="" p99=5',
      'ts=2028 level=warn msg="disk \\"sda\\" is full" reason="it \\"is\\" so"',
      '{"ts":"2026","level":"error","msg":"took 5 s","code":500,"ok":true,"tags":["a","b"],"in":{"x":null}}',
      '{"ts":"2027","level":"error","msg":"took 9 s","code":501,"ok":false,"tags":["c"],"in":{"x":"y"}}',
    ]),
    [
      [2, 'ts=<_> level=info msg="order placed" user=<_> duration=<_> note="" p99=<_>'],
      [1, 'ts=<_> level=warn msg="disk \\"sda\\" is full" reason="<_>"<_>"<_>"'],
      [1, '{"ts":"<_>","level":"error","msg":"took <_> s","code":<_>,"ok":<_>,"tags":[<_>],"in":{"x":"<_>"}}'],
      [1, '{"ts":"<_>","level":"error","msg":"took <_> s","code":<_>,"ok":<_>,"tags":[<_>],"in":{"x":<_>}}'],
    ],
  )
})

test('a word that varies becomes a hole, words that vary little stay', () => {
  const users = ['ann', 'bob', 'cid', 'dan', 'eve', 'fay', 'gus', 'hal', 'ida', 'jon', 'kim', 'lea', 'max', 'ned']
  const lines = users.flatMap((user) => [`user ${user} logged in`, `user ${user} logged out`])
  assert.deepEqual(patternsOf(lines), [[28, 'user <_> logged <_>']])
  assert.deepEqual(patternsOf(['job started', 'job done', 'cache cleared']).length, 3)
  assert.deepEqual(patternsOf(users.map((user) => `failed password for ${user} from host by ssh`)), [
    [14, 'failed password for <_> from host by ssh'],
  ])
})

test('what cannot stand in a pattern is a hole', () => {
  assert.deepEqual(patternsOf(['got <b>bold</b> text', 'a `quoted` word', '\u001b[31mred']), [
    [1, '<_>[<_>'],
    [1, 'a <_> word'],
    [1, 'got <_> text'],
  ])
})

test('lines of real programs', () => {
  const lines = [
    '10.1.2.3 - - [22/Nov/2026:07:00:00 +0000] "GET /cart?id=7 HTTP/1.1" 200 612 "-" "curl/8.5.0" 0.012',
    '10.1.2.4 - - [22/Nov/2026:07:00:01 +0000] "GET /cart?id=9 HTTP/1.1" 200 17 "-" "curl/8.5.0" 0.002',
    'Nov 22 07:00:00 node-1 sshd[123]: Failed password for root from 10.0.0.1 port 4711 ssh2',
    'Nov 22 07:00:01 node-2 sshd[124]: Failed password for admin from 10.0.0.2 port 4712 ssh2',
    'Nov 22 07:00:02 node-2 sshd[125]: Accepted publickey for git from 10.0.0.2 port 4713 ssh2',
    '2026-11-22 07:00:00,123 ERROR [exec-5] c.e.shop.OrderService - too many open connections in 25 ms',
    '2026-11-22 07:00:00,124 ERROR [exec-6] c.e.shop.StockService - too many open connections in 12 ms',
    '2026-11-22 07:00:00.123 UTC [99] LOG:  duration: 1.204 ms  statement: SELECT * FROM orders WHERE id = 5',
    '2026-11-22 07:00:00.125 UTC [98] LOG:  duration: 0.1 ms  statement: SELECT * FROM orders WHERE id = 17',
    'E1122 07:00:00.123456 12 kubelet.go:88] "Pod failed" pod="shop/web-1" err="context deadline exceeded"',
  ]
  assert.deepEqual(patternsOf(lines), [
    [2, '<_> - - [<_> <_>] "GET /cart?id=<_> <_>" <_> <_> "-" "<_>" <_>'],
    [2, '<_> <_> ERROR [<_>] <_> - too many open connections in <_> ms'],
    [2, '<_> <_> UTC [<_>] LOG:  duration: <_> ms  statement: SELECT * FROM orders WHERE id = <_>'],
    [2, 'Nov <_> <_> <_> sshd[<_>]: Failed password for <_> from <_> port <_> <_>'],
    [1, '<_> <_> <_> <_>] "Pod failed" pod="<_>" err="context deadline exceeded"'],
    [1, 'Nov <_> <_> <_> sshd[<_>]: Accepted publickey for git from <_> port <_> <_>'],
  ])
})
