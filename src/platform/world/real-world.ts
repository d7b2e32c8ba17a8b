/** The world as production sees it. Tests hand down a simulated one instead. */
import { randomBytes } from 'node:crypto'

import type { Random, World } from '#/kernel/world.ts'
import { realClock } from './real-clock.ts'
import { realDisk } from './real-disk.ts'

const realRandom: Random = {
  next: () => Math.random(),
  bytes: (count) => randomBytes(count),
}

export function realWorld(): World {
  return { clock: realClock, random: realRandom, disk: realDisk }
}
