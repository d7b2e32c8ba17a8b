import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'

import { httpTransport, pushUrl } from './transport.ts'

test('a Loki is given with or without its path', () => {
  assert.equal(pushUrl('loki:3100'), 'http://loki:3100/loki/api/v1/push')
  assert.equal(pushUrl('https://loki/'), 'https://loki/loki/api/v1/push')
  assert.equal(pushUrl('http://gateway/tenant/push?x=1'), 'http://gateway/tenant/push?x=1')
})

test('headers, body, first line of the answer and Retry-After', async () => {
  const seen: unknown[] = []
  const server = createServer((request, response) => {
    const { 'content-type': type, 'x-scope-orgid': tenant, authorization } = request.headers
    seen.push([request.method, request.url, type, tenant, authorization])
    request.resume().on('end', () => response.writeHead(429, { 'retry-after': '7' }).end('too fast\nsecond line'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const push = async (credentials: { username?: string; password?: string; bearer_token?: string }): Promise<void> => {
    const transport = httpTransport({ url, tenant: 'team-a', timeout: 5000, ...credentials })
    const answer = await transport.push(Buffer.from('body'), new AbortController().signal)
    assert.deepEqual(answer, { status: 429, message: 'too fast', retryAfterSeconds: 7 })
    await transport.close()
  }
  await push({ username: '', bearer_token: '' })
  await push({ username: 'ann', password: 'a:b' })
  await push({ username: 'ann', bearer_token: 'x' })
  const sent = ['POST', '/loki/api/v1/push', 'application/x-protobuf', 'team-a']
  assert.deepEqual(seen, [
    [...sent, undefined],
    [...sent, `Basic ${Buffer.from('ann:a:b').toString('base64')}`],
    [...sent, 'Bearer x'],
  ])
  await new Promise((resolve) => server.close(resolve))
})

test('no answer throws: refused, and too late', async () => {
  const signal = new AbortController().signal
  const away = httpTransport({ url: 'http://127.0.0.1:1', tenant: '', timeout: 1000 })
  await assert.rejects(away.push(Buffer.from('x'), signal), { code: 'ECONNREFUSED' })
  await away.close()
  const server = createServer(() => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const slow = httpTransport({ url, tenant: '', timeout: 50 })
  await assert.rejects(slow.push(Buffer.from('x'), signal), { code: /^UND_ERR_(HEADERS|CONNECT)_TIMEOUT$/ })
  await slow.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
