import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { gzipSync } from 'node:zlib'
import { test } from 'node:test'

import { realWorld } from '#/platform/world/real-world.ts'
import { AgentBench, answer } from './testing-loki.ts'

const numbered = (word: string, from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `${word} ${from + index}`)
const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

test('lines of a file arrive in order, with its labels and rising timestamps', async () => {
  await using bench = new AgentBench()
  const lines = numbered('line', 0, 1000)
  bench.append('app/a.log', textOf(lines))
  const agent = await bench.start()
  await bench.untilLines(1000)
  await agent.stop()
  assert.deepEqual(bench.loki.lines(), lines)
  assert.equal(bench.loki.received[0]?.labels, `{filename="${bench.path('app/a.log')}", job="test"}`)
  assert.equal(new Set(bench.loki.received.map(({ timeNs }) => timeNs)).size, 1000)
  assert.equal(agent.counts.sentLines, 1000)
})

test('a line waits for its end, an empty line is a line, a carriage return is none', async () => {
  await using bench = new AgentBench()
  bench.append('a.log', 'one\n\ntwo\r\nthr')
  const agent = await bench.start()
  await bench.untilLines(3)
  bench.append('a.log', 'ee')
  await bench.untilLooked(agent)
  assert.deepEqual(bench.loki.lines(), ['one', '', 'two'])
  bench.append('a.log', '\nfour\n')
  await bench.untilLines(5)
  assert.deepEqual(bench.loki.lines(), ['one', '', 'two', 'three', 'four'])
})

test('a line without end is shipped after a long silence, and its late line break is no empty line', async () => {
  await using bench = new AgentBench()
  bench.append('a.log', 'prompt> ')
  await bench.start({ partial_line_wait: 20 })
  await bench.untilLines(1)
  bench.append('a.log', '\nnext\n')
  await bench.untilLines(2)
  assert.deepEqual(bench.loki.lines(), ['prompt> ', 'next'])
})

test('bytes that are not UTF-8 pass as they are', async () => {
  await using bench = new AgentBench()
  bench.append('a.log', Buffer.from([0x61, 0xff, 0xfe, 0x00, 0xc3, 0x0a]))
  await bench.start()
  await bench.untilLines(1)
  assert.deepEqual(bench.loki.lines(), ['a\u00ff\u00fe\u0000\u00c3'])
})

test('a long line is split at the limit, between characters, and nothing of it is lost', async () => {
  await using bench = new AgentBench()
  const long = 'ä'.repeat(400_000) // two bytes each
  bench.append('a.log', `before\n${long}\nafter\n`)
  await bench.start({ max_line_size: 100_001 })
  await bench.untilLines(10)
  const pieces = bench.loki.lines()
  assert.equal(pieces[0], 'before')
  assert.equal(pieces.at(-1), 'after')
  const middle = pieces.slice(1, -1)
  assert.deepEqual([...new Set(middle.slice(0, -1).map((piece) => piece.length))], [100_000])
  assert.equal(Buffer.from(middle.join(''), 'latin1').toString(), long)
})

test('rotation by rename while somebody writes: every line once, the old file to its end', async () => {
  await using bench = new AgentBench()
  const lines = numbered('line', 0, 3000)
  await bench.start({ batch_size: 4096, targets: [{ paths: [`${bench.dir}/*.log*`], exclude: [], labels: {} }] })
  for (let at = 0; at < 3000; at += 100) {
    // only that a.log was ever seen under its name, not that it was read: more than the files before it held has arrived
    if (at % 500 === 400) await bench.untilLines(at - 200)
    bench.append('a.log', textOf(lines.slice(at, at + 50)))
    if (at % 500 === 400) {
      for (let index = 5; index >= 1; index--) {
        if (readdirSync(bench.dir).includes(`a.log.${index}`)) {
          renameSync(bench.path(`a.log.${index}`), bench.path(`a.log.${index + 1}`))
        }
      }
      renameSync(bench.path('a.log'), bench.path('a.log.1'))
      // the writer has not noticed yet
      bench.append('a.log.1', textOf(lines.slice(at + 50, at + 100)))
    } else {
      bench.append('a.log', textOf(lines.slice(at + 50, at + 100)))
    }
    await new Promise((resolve) => setTimeout(resolve, 4))
  }
  await bench.untilLines(3000)
  assert.deepEqual(bench.loki.lines().toSorted(), lines.toSorted())
  // rotated files keep the name under which they were written
  assert.deepEqual(
    [...new Set(bench.loki.received.map(({ labels }) => labels))],
    [`{filename="${bench.path('a.log')}"}`],
  )
})

test('a rotated file that is renamed while its directory is read is not read again', async () => {
  await using bench = new AgentBench()
  bench.append('a.log', 'one\n')
  const { disk, ...rest } = realWorld()
  let hidden = 0
  const list: typeof disk.list = async (path) => {
    const entries = await disk.list(path)
    // as when the file goes from a name that was not read yet to one that was passed
    return hidden-- > 0 ? entries.filter(({ name }) => name !== 'a.log.1') : entries
  }
  const targets = [{ paths: [`${bench.dir}/a.log*`], exclude: [], labels: {} }]
  const values = { rotated_file_wait: 5, target_sync_period: 0, targets }
  const agent = await bench.start(values, { ...rest, disk: { ...disk, list } })
  await bench.untilLines(1)
  renameSync(bench.path('a.log'), bench.path('a.log.1'))
  await bench.untilLetGo(agent)
  hidden = 4
  bench.append('a.log', 'two\n')
  await bench.untilLines(2)
  await bench.until(
    () => hidden <= 0,
    () => 'the directory to be read',
  )
  await bench.untilLooked(agent)
  assert.deepEqual(bench.loki.lines().toSorted(), ['one', 'two'])
})

test('a rotated file that was let go is not read again, and is read on when it grows late', async () => {
  await using bench = new AgentBench()
  bench.append('a.log', 'one\n')
  const targets = [{ paths: [`${bench.dir}/a.log*`], exclude: [], labels: {} }]
  const agent = await bench.start({ rotated_file_wait: 5, target_sync_period: 0, targets })
  await bench.untilLines(1)
  renameSync(bench.path('a.log'), bench.path('a.log.1'))
  await bench.untilLetGo(agent)
  bench.append('a.log', 'two\n')
  bench.append('a.log.1', 'late\n')
  await bench.untilLines(3)
  await bench.untilLooked(agent)
  assert.deepEqual(bench.loki.lines().toSorted(), ['late', 'one', 'two'])
})

test('a rotated file with an unfinished line: the rest is shipped when it is let go', async () => {
  await using bench = new AgentBench()
  bench.append('a.log', 'one\nunfinished')
  await bench.start()
  await bench.untilLines(1)
  renameSync(bench.path('a.log'), bench.path('old'))
  await bench.untilLines(2)
  assert.deepEqual(bench.loki.lines(), ['one', 'unfinished'])
})

test('copy and truncate: read from the start, also when the file is longer than before', async () => {
  await using bench = new AgentBench()
  const first = numbered('first', 0, 100)
  bench.append('a.log', textOf(first))
  await bench.start()
  await bench.untilLines(100)
  copyFileSync(bench.path('a.log'), bench.path('a.log.1'))
  truncateSync(bench.path('a.log'))
  const second = numbered('second', 0, 10)
  bench.append('a.log', textOf(second))
  await bench.untilLines(110)
  // written whole and larger between two looks: only the first bytes tell
  const third = numbered('third', 0, 1000)
  writeFileSync(bench.path('a.log'), textOf(third))
  await bench.untilLines(1110)
  assert.deepEqual(bench.loki.lines(), [...first, ...second, ...third])
})

test('a deleted file is forgotten; a new one of its name is read from its start', async () => {
  await using bench = new AgentBench()
  bench.append('a.log', 'one\n')
  const agent = await bench.start()
  await bench.untilLines(1)
  unlinkSync(bench.path('a.log'))
  bench.append('a.log', 'two\n')
  await bench.untilLines(2)
  unlinkSync(bench.path('a.log'))
  const saved = (): string => readFileSync(bench.path('state/positions.json'), 'utf8')
  await bench.until(() => !saved().includes('a.log'), saved)
  await agent.stop()
  assert.deepEqual(bench.loki.lines(), ['one', 'two'])
})

test('globs, exclusions and compressed files', async () => {
  await using bench = new AgentBench()
  bench.append('a.log', 'a\n')
  bench.append('deep/er/b.log', 'b\n')
  bench.append('deep/skip.log', 'no\n')
  bench.append('c.log.gz', gzipSync('no\n'))
  bench.append('d.txt', 'no\n')
  const targets = [{ paths: [`${bench.dir}/**/*.log`, `${bench.dir}/*.gz`], exclude: ['/**/skip.log'], labels: {} }]
  await bench.start({ targets })
  await bench.untilLines(2)
  bench.append('later/e.log', 'e\n')
  await bench.untilLines(3)
  assert.deepEqual(bench.loki.lines().toSorted(), ['a', 'b', 'e'])
})

test('a file that cannot be read costs one warning, not the others', async () => {
  await using bench = new AgentBench()
  bench.append('a.log', 'a\n')
  bench.append('b.log', 'b\n')
  chmodSync(bench.path('a.log'), 0)
  const { disk, ...rest } = realWorld()
  // root may read everything, so the refusal is played
  const openRead: typeof disk.openRead = (path) =>
    path.endsWith('a.log')
      ? Promise.reject(Object.assign(new Error('denied'), { code: 'EACCES' }))
      : disk.openRead(path)
  await bench.start({}, { ...rest, disk: { ...disk, openRead } })
  await bench.untilLines(1)
  bench.append('b.log', 'bb\n')
  await bench.untilLines(2)
  assert.deepEqual(bench.loki.lines(), ['b', 'bb'])
})

test('a restart goes on where the last run stopped, even when the file was rotated in between', async () => {
  await using bench = new AgentBench()
  bench.append('a.log', 'one\ntwo\n')
  const agent = await bench.start()
  await bench.untilLines(2)
  await agent.stop()
  bench.append('a.log', 'three\n')
  renameSync(bench.path('a.log'), bench.path('a.log.1'))
  bench.append('a.log', 'four\n')
  const next = await bench.start()
  await bench.untilLines(4)
  await bench.untilLooked(next)
  assert.deepEqual(bench.loki.lines().toSorted(), ['four', 'one', 'three', 'two'])
  assert.equal(bench.loki.duplicates, 0)
})

test('an inode that is used again for another file is not taken for the old one', async () => {
  await using bench = new AgentBench()
  bench.append('a.log', 'old content\n')
  const agent = await bench.start()
  await bench.untilLines(1)
  await agent.stop()
  // the same inode, other content, longer: what a new file with a used inode looks like
  writeFileSync(bench.path('a.log'), 'new content\nmore of it\n')
  await bench.start()
  await bench.untilLines(3)
  assert.deepEqual(bench.loki.lines(), ['old content', 'new content', 'more of it'])
})

test('429, 500 and refused connections: sent again with the same timestamps until it is taken', async () => {
  await using bench = new AgentBench()
  const lines = numbered('line', 0, 500)
  const verdicts = [answer(500), answer(429, 0.005), new Error('ECONNREFUSED'), answer(503), answer(404)]
  bench.loki.onPush = (count) => (count % 6 === 0 ? undefined : verdicts[count % 6])
  bench.append('a.log', textOf(lines))
  const agent = await bench.start({ batch_size: 1000 })
  await bench.untilLines(500)
  await agent.stop()
  assert.deepEqual(bench.loki.lines(), lines)
  assert.ok(agent.counts.retries >= 5, `${agent.counts.retries} retries`)
  assert.equal(agent.counts.droppedLines, 0)
})

test('an answer that got lost: the repeated batch is an exact duplicate', async () => {
  await using bench = new AgentBench()
  const { loki } = bench
  const lossy = {
    push: async (body: Buffer) => {
      const given = await loki.push(body)
      if (loki.pushes % 2 === 1) throw new Error('ECONNRESET')
      return given
    },
    close: () => Promise.resolve(),
  }
  const lines = numbered('same', 0, 100).map(() => 'same')
  bench.append('a.log', textOf(lines))
  await bench.start({ batch_size: 100 }, realWorld(), lossy)
  await bench.until(
    () => loki.duplicates >= 100,
    () => `${loki.duplicates} duplicates`,
  )
  assert.equal(loki.received.length, 100)
})

test('a batch that the server refuses for its content is dropped and counted', async () => {
  await using bench = new AgentBench()
  bench.loki.onPush = (count) => (count === 1 ? answer(400) : undefined)
  bench.append('a.log', 'bad\n')
  const agent = await bench.start()
  await bench.until(
    () => agent.counts.droppedLines === 1,
    () => 'the drop',
  )
  bench.append('a.log', 'good\n')
  await bench.untilLines(1)
  assert.deepEqual(bench.loki.lines(), ['good'])
})

test('a server that is away: reading pauses, memory stays bounded, then everything arrives', async () => {
  await using bench = new AgentBench()
  let away = true
  bench.loki.onPush = () => (away ? new Error('ECONNREFUSED') : undefined)
  const line = `${'x'.repeat(999)}\n`
  bench.append('big.log', line.repeat(40_000))
  const agent = await bench.start({ batch_size: 100_000, max_pending_batches: 4 })
  await bench.until(
    () => readdirSync(bench.path('state')).filter((name) => name.endsWith('.batch')).length >= 4,
    () => 'four batches on disk',
  )
  // reading pauses while the batches wait: what is in memory is theirs, one that is being filled, and a line each
  const { pushes } = bench.loki
  await bench.until(
    () => bench.loki.pushes > pushes + 5,
    () => 'more attempts',
  )
  assert.ok(readdirSync(bench.path('state')).filter((name) => name.endsWith('.batch')).length <= 5)
  assert.ok(agent.counts.readLines <= 6 * 101, `${agent.counts.readLines} lines of 1000 bytes are held back`)
  away = false
  await bench.untilLines(40_000)
  await agent.stop()
  assert.equal(agent.counts.sentLines, 40_000)
})

test('stopping delivers what has been read', async () => {
  await using bench = new AgentBench()
  bench.append('a.log', 'one\n')
  const agent = await bench.start({ batch_wait: 3_600_000 })
  await bench.until(
    () => agent.counts.readLines === 1,
    () => 'the line to be read',
  )
  await bench.untilLooked(agent)
  assert.equal(bench.loki.received.length, 0)
  await agent.stop()
  assert.deepEqual(bench.loki.lines(), ['one'])
  assert.deepEqual(readdirSync(bench.path('state')), ['positions.json'])
})

test('stopping while the server is away keeps the batch, and the next run sends it', async () => {
  await using bench = new AgentBench()
  bench.append('a.log', 'one\n')
  bench.loki.onPush = () => new Error('ECONNREFUSED')
  const agent = await bench.start({ stop_timeout: 20 })
  await bench.until(
    () => bench.loki.pushes > 0,
    () => 'a push',
  )
  await agent.stop()
  bench.loki.onPush = undefined
  unlinkSync(bench.path('a.log')) // not even the file is needed
  await bench.start()
  await bench.untilLines(1)
  assert.deepEqual(bench.loki.lines(), ['one'])
})

test('a full disk under the state directory does not stop the logs', async () => {
  await using bench = new AgentBench()
  const { disk, ...rest } = realWorld()
  let full = true
  const writeFile: typeof disk.writeFile = (...args) =>
    full ? Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })) : disk.writeFile(...args)
  const lines = numbered('line', 0, 300)
  bench.append('a.log', textOf(lines))
  const agent = await bench.start({ batch_size: 500 }, { ...rest, disk: { ...disk, writeFile } })
  await bench.untilLines(300)
  full = false
  bench.append('a.log', 'more\n')
  await bench.untilLines(301)
  await agent.stop()
  await (await bench.start()).stop()
  assert.deepEqual(bench.loki.lines(), [...lines, 'more'])
  assert.equal(bench.loki.duplicates, 0)
})

test('a thousand files, more than may be open', async () => {
  await using bench = new AgentBench()
  mkdirSync(bench.path('many'))
  for (let index = 0; index < 1000; index++) bench.append(`many/${index}.log`, `from ${index}\n`)
  await bench.start({ max_open_files: 10 })
  await bench.untilLines(1000)
  bench.append('many/7.log', 'again\n')
  renameSync(bench.path('many/7.log'), bench.path('many/7.old'))
  await bench.untilLines(1001)
  assert.equal(new Set(bench.loki.lines()).size, 1001)
})
