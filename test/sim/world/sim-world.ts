/** The simulated world in one value. */
import type { World } from '#/kernel/world.ts'
import { SimClock } from './sim-clock.ts'
import { SimDisk } from './sim-disk.ts'
import { SimRandom } from './sim-random.ts'

export type SimWorld = World & { readonly clock: SimClock; readonly random: SimRandom; readonly disk: SimDisk }

export function simWorld(seed: number): SimWorld {
  return { clock: new SimClock(), random: new SimRandom(seed), disk: new SimDisk(seed + 1) }
}
