/** What the WAL costs on this machine's disk: `node src/storage/wal/wal.bench.ts [directory]`. */
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Wal, type WalSync } from './wal.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { realWorld as makeWorld } from '#/platform/world/real-world.ts'

const realWorld = makeWorld()
const RECORD_BYTES = 1_000_000
const RECORDS = 500
const CONCURRENCY = 4

async function measure(sync: WalSync, parent: string): Promise<void> {
  const directory = join(parent, `edda-wal-bench-${process.pid}`)
  const options = { world: realWorld, directory, log: silentLogger, sync }
  const wal = await Wal.open(options)
  await wal.replay(() => undefined)
  const part = realWorld.random.bytes(RECORD_BYTES / 4)
  const parts = [part, part, part, part]
  const cpu = process.cpuUsage()
  const startMs = performance.now()
  let next = 0
  const send = async (): Promise<void> => {
    while (next++ < RECORDS) await wal.append(parts)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, send))
  report(`append, sync ${sync}`, startMs, cpu)
  await wal.close()
  const again = await Wal.open(options)
  const replayCpu = process.cpuUsage()
  const replayMs = performance.now()
  await again.replay(() => undefined)
  report('replay', replayMs, replayCpu)
  await again.close()
  rmSync(directory, { recursive: true })
}

function report(what: string, startMs: number, before: NodeJS.CpuUsage): void {
  const bytes = RECORD_BYTES * RECORDS
  const { user, system } = process.cpuUsage(before)
  const seconds = (performance.now() - startMs) / 1000
  const cpuPerGb = ((user + system) / 1e6 / (bytes / 1e9)).toFixed(2)
  console.log(`${what.padEnd(24)} ${(bytes / 1e6 / seconds).toFixed(0).padStart(6)} MB/s ${cpuPerGb} CPU-s/GB`)
}

for (const sync of ['commit', 'interval', 'never'] as const) await measure(sync, process.argv[2] ?? tmpdir())
