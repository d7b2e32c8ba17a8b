/** The read path equals the reference on random queries over entries in merged blocks, beside heads that repeat some of them. */
import { test } from 'node:test'
import { campaignSeed, runCampaign } from './campaign.ts'

test(`answers from merged blocks equal the reference (seed ${campaignSeed})`, async (t) => {
  t.diagnostic(await runCampaign(['block'], 700, { isMerged: true }))
  t.diagnostic(await runCampaign(['head', 'block'], 700, { isMerged: true }))
})
