import { realWorld } from '#/platform/world/real-world.ts'
import { objectStoreConformance } from './conformance.ts'
import { MemoryStore } from './memory.ts'

objectStoreConformance('memory', async () => new MemoryStore(realWorld().clock))
