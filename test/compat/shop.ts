/** A small shop's logs of the last ten minutes, as the reading clients find them. */
import { nowNs, pushAs, secondNs } from './speak.ts'

export type Shop = { readonly startNs: bigint; readonly endNs: bigint; readonly count: number }

const rows = 300

/** `{app="shop", env="prod", pod="…"}` in JSON with a trace id as metadata, `{app="pay"}` in logfmt. */
export async function pushShop(url: string): Promise<Shop> {
  const endNs = nowNs()
  const startNs = endNs - 600n * secondNs
  const at = (i: number): bigint => startNs + 2n * BigInt(i) * secondNs + 123_456_789n
  const pods = ['p1', 'p2'].map((pod, nth) => ({
    labels: `{app="shop", env="prod", pod="${pod}"}`,
    entries: Array.from({ length: rows / 2 }, (_, i) => {
      const n = 2 * i + nth
      const level = n % 10 === 0 ? 'error' : 'info'
      const line = `{"level":"${level}","status":${n % 10 === 0 ? 500 : 200},"took":"${n}ms","path":"/cart/${n % 3}","http":{"size":${n * 10}}}`
      return { timeNs: at(n), line, metadata: [['trace_id', `t${n}`]] as [string, string][] }
    }),
  }))
  const pay = {
    labels: '{app="pay", env="prod"}',
    entries: Array.from({ length: 100 }, (_, i) => ({
      timeNs: at(i),
      line: `level=warn msg="card ${i} declined" latency=${i}ms amount=${i}.5`,
    })),
  }
  await pushAs(url, 'promtail/3.5.0', [...pods, pay])
  return { startNs, endNs, count: rows }
}
