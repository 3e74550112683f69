/** Every rule of validateImage, each broken once. */

import { describe, expect, it } from 'vitest'
import { validationCodes } from '../../src/image/validate-finding.ts'
import { configFaults } from './validate-faults-config.ts'
import { contentFaults } from './validate-faults-content.ts'
import { documentsFaults } from './validate-faults-documents.ts'
import { layerFaults } from './validate-faults-layer.ts'
import { codesOf } from './validate-kit.ts'

const faults = [...contentFaults, ...documentsFaults, ...configFaults, ...layerFaults]

describe('validateImage', () => {
  it.each(faults)('finds $fault', async ({ find, codes, where }) => {
    const findings = await find()
    expect(codesOf(findings)).toEqual(codes)
    for (const finding of findings) {
      expect(finding.severity).toBe(validationCodes[finding.code])
      expect(finding.message).not.toBe('')
      expect(finding.where).toMatch(where ?? /./)
    }
  })

  it('has a fault here for every code', () => {
    // Those of a layout are provoked in validate-layout.test.ts.
    const ofLayouts = /-(?:LAYOUT|LAYOUT-INDEX|REF-NAME|REF-DUPLICATE|BLOB-NAME)$/
    const provoked: readonly string[] = faults.flatMap(({ codes }) => codes)
    const left = Object.keys(validationCodes).filter(
      (code) => !ofLayouts.test(code) && !provoked.includes(code),
    )
    expect(left).toEqual([])
  })
})
