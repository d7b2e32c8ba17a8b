/** Hands the items of each tenant to all its receivers, each with a queue of its own, so that none waits for another. */
import type { World } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Post } from './http-post.ts'
import { type Payload, type Receiver, type SendCounter, SendQueue } from './send-queue.ts'

/** What all senders get from outside. */
export type SenderNeeds = {
  readonly post: Post
  readonly world: Pick<World, 'clock' | 'random'>
  readonly logger: Logger
}

export type SenderOptions<T> = SenderNeeds & {
  readonly payload: Payload<T>
  /** As they are now; none: nothing is sent. */
  readonly receiversOf: (tenant: string) => readonly Receiver[]
  readonly counterOf: (tenant: string, receiver: string) => SendCounter
}

type Entry<T> = { readonly tenant: string; readonly receiver: string; readonly queue: SendQueue<T> }

export class Sender<T> {
  readonly #options: SenderOptions<T>
  /** By tenant and receiver: one that was configured anew gets a queue anew. */
  readonly #entries = new Map<string, Entry<T>>()

  constructor(options: SenderOptions<T>) {
    this.#options = options
  }

  /** @returns how many receivers there are. */
  send(tenant: string, items: readonly T[]): number {
    if (items.length === 0) return 0
    const receivers = this.#options.receiversOf(tenant)
    for (const receiver of receivers) this.#queueOf(tenant, receiver).add(items)
    return receivers.length
  }

  /** Items that wait, by tenant and receiver. */
  lengths(): readonly { readonly tenant: string; readonly receiver: string; readonly length: number }[] {
    return [...this.#entries.values()].map(({ tenant, receiver, queue }) => ({
      tenant,
      receiver,
      length: queue.length,
    }))
  }

  /** Lets what waits leave within the time, and gives up the rest. */
  async stop(withinMs: number): Promise<void> {
    const queues = [...this.#entries.values()].map(({ queue }) => queue)
    if (queues.some(({ length }) => length > 0)) {
      const late = new AbortController()
      void Promise.all(queues.map((queue) => queue.drain())).then(() => late.abort())
      await this.#options.world.clock.sleep(withinMs, late.signal).catch(() => undefined)
    }
    await Promise.all(queues.map((queue) => queue.stop()))
  }

  #queueOf(tenant: string, receiver: Receiver): SendQueue<T> {
    const key = JSON.stringify([tenant, receiver])
    const found = this.#entries.get(key)
    if (found !== undefined) return found.queue
    const { payload, post, world, logger, counterOf } = this.#options
    const queue = new SendQueue({
      payload,
      receiver,
      post,
      world,
      logger: logger.with({ tenant, receiver: receiver.name }),
      count: counterOf(tenant, receiver.name),
    })
    this.#entries.set(key, { tenant, receiver: receiver.name, queue })
    return queue
  }
}
