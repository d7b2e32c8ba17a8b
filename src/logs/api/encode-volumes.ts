/** Writes volumes as Prometheus does: a matrix when any group has several samples, else a vector. */
import { seconds } from './encode-answer.ts'
import { lokiStats } from './loki-stats.ts'
import { labelsObject } from './labels-json.ts'
import type { VolumeAnswer } from '#/logs/wire/index-query.ts'

export function encodeVolumes({ volumes, bucketEndsNs, stats }: VolumeAnswer): Uint8Array[] {
  const times = bucketEndsNs.map(seconds)
  const isMatrix = volumes.some(({ samples }) => samples.length > 1)
  const result = volumes.map(({ labels, samples }) => {
    const points = samples.map(({ bucket, bytes }) => `[${times[bucket] ?? ''},"${bytes}"]`)
    return `{"metric":${labelsObject(labels)},${isMatrix ? `"values":[${points.join(',')}]` : `"value":${points.join('')}`}}`
  })
  const type = isMatrix ? 'matrix' : 'vector'
  const head = `{"status":"success","data":{"resultType":"${type}","result":[`
  return [
    Buffer.from(head),
    ...result.map((one, i) => Buffer.from(i === 0 ? one : `,${one}`)),
    Buffer.from(`],"stats":${JSON.stringify(lokiStats(stats))}}}`),
  ]
}
