/** The read path equals the reference on random queries over entries in blocks. */
import { test } from 'node:test'
import { campaignSeed, runCampaign } from './campaign.ts'

test(`answers from blocks equal the reference (seed ${campaignSeed})`, async (t) => {
  t.diagnostic(await runCampaign(['block'], 7000))
})
