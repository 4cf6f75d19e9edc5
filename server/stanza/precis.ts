// Preparing the text of addresses: the PRECIS profiles for user names and resources (RFC 8264, 8265) and IDNA for domains (pure).
import type { Bidi } from 'bidi-js'
import { JOINS_NEXT, JOINS_PREVIOUS, VIRAMA } from './joining.ts'
import { whenNeeded } from './rare.ts'

const uts46 = whenNeeded<typeof import('tr46')>('tr46')
const bidiFactory = whenNeeded<() => Bidi>('bidi-js')

// All of it is allowed anywhere: for most addresses none of the rules below is made ready.
const ASCII_NAME = /^[\x21-\x7E]+$/
const ASCII_TEXT = /^[\x20-\x7E]+$/

/** The UsernameCaseMapped profile (RFC 8265 section 3.3): the prepared name, or `undefined` if the text is none. */
export const usernameCaseMapped = (text: string): string | undefined => ASCII_NAME.test(text) ? text.toLowerCase() : untilStable(text, caseMappedOnce)

/** The OpaqueString profile (RFC 8265 section 4.2): the prepared text, or `undefined` if it holds what is not allowed. */
export const opaqueString = (text: string): string | undefined => ASCII_TEXT.test(text) ? text : untilStable(text, opaqueOnce)

/**
 * A domain in the form that is compared: lower case, U-labels, without the root's dot; an IP address stays one (RFC 7622
 * section 3.2). `undefined` if it is no host name.
 */
export function prepareDomain(text: string): string | undefined {
  const domain = text.replace(/[.\u3002\uFF0E\uFF61]$/, '') // section 3.2: before anything else
  if (PLAIN_HOST.test(domain) && !RESERVED_LABEL.test(domain)) return domain.toLowerCase()
  if (domain.startsWith('[')) return isIPv6(domain) ? domain.toLowerCase() : undefined
  const mapped = uts46().toUnicode(domain, { checkBidi: true, checkHyphens: true, checkJoiners: true, useSTD3ASCIIRules: true })
  if (mapped.error) return undefined
  // UTS 46 lets through symbols that IDNA 2008 does not; the two agree with PRECIS on letters, digits and context.
  const labels = mapped.domain.split('.')
  return labels.every(label => label !== '' && isIdentifier(label)) ? mapped.domain : undefined
}

/**
 * Is this prepared localpart the same for a peer that still uses stringprep (RFC 6122), which maps more than PRECIS does?
 * New accounts have to be; ß, the final ς and the joiners are not.
 */
export const sameForStringprep = (local: string): boolean => readByStringprep(local) === local

/** What such a peer takes this prepared localpart for. */
export const readByStringprep = (local: string): string => Array.from(local, c => c === 'ı' ? c : fold(c)).join('').normalize('NFKC')
const fold = (c: string): string => JOINERS.test(c) ? '' : c.toUpperCase().toLowerCase()
const JOINERS = /^[\u200C\u200D]$/ // mapped to nothing (RFC 3454 table B.1); PRECIS lets them stand in their context

const isIPv6 = (literal: string): boolean =>
  /^\[[\da-f:.]+(?:%[\w.~-]+)?\]$/i.test(literal) && URL.canParse(`http://${literal.replace(/%.*(?=\])/, '')}/`)

const PLAIN_HOST = /^[a-z\d](?:[a-z\d-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)*$/i
const RESERVED_LABEL = /(?:^|\.)..--/ // xn-- and its kin (RFC 5890 section 2.3.1)

// RFC 8265 section 5: the rules are not idempotent for all characters, so they are applied until nothing changes, four times at most.
function untilStable(text: string, once: (text: string) => string | undefined): string | undefined {
  let before = text
  for (let round = 0; round < 4; round++) {
    const after = once(before)
    if (after === undefined || after === before) return after
    before = after
  }
  return undefined
}

function caseMappedOnce(text: string): string | undefined {
  // Normalising before the class is asked, too, maps what section 3.3.2 alone would refuse (the Ångström sign): RFC 7622 section 4.
  const narrow = text.replace(WIDE, c => c.normalize('NFKC')).normalize('NFC')
  if (!isIdentifier(narrow)) return undefined
  const name = narrow.toLowerCase().normalize('NFC')
  return name !== '' && obeysBidiRule(name) ? name : undefined
}

function opaqueOnce(text: string): string | undefined {
  if (text === '' || !FREEFORM.test(text)) return undefined
  const mapped = text.replace(SPACES, ' ').normalize('NFC')
  return contextAllows(mapped) ? mapped : undefined
}

const WIDE = /[\u3000\uFF01-\uFFEF]/g // all that decompose by <wide> or <narrow>
const SPACES = /\p{Zs}/gu

// The classes of RFC 8264 section 8, as far as single characters go. Old Hangul jamo, what is to be ignored and what RFC 5892
// section 2.6 excludes are out; its other exceptions and the joiners are in, if the context allows them.
const EXCLUDED = String.raw`\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\u1100-\u11FF\uA960-\uA97C\uD7B0-\uD7C6\uD7CB-\uD7FB\u0640\u07FA\u302E\u302F\u3031-\u3035\u303B`
const LETTERS_DIGITS = String.raw`\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}`
const EXCEPTIONS = String.raw`\u06FD\u06FE\u0F0B\u3007\u00B7\u0375\u05F3\u05F4\u30FB\u200C\u200D`
const IDENTIFIER = new RegExp(String.raw`^[[[\x21-\x7E${LETTERS_DIGITS}]--[${EXCLUDED}]]${EXCEPTIONS}]*$`, 'v')
const FREEFORM = new RegExp(String.raw`^[[[${LETTERS_DIGITS}\p{Lt}\p{Nl}\p{No}\p{Me}\p{Zs}\p{S}\p{P}]--[${EXCLUDED}]]${EXCEPTIONS}]*$`, 'v')

/** Only characters of the IdentifierClass, of which none has a compatibility equivalent (RFC 8264 section 9.17), in their context. */
const isIdentifier = (text: string): boolean => IDENTIFIER.test(text) && text.normalize('NFKC') === text && contextAllows(text)

// RFC 5892 appendix A. What stands in its context is taken out; if one of these is left, it does not.
const CONTEXTUAL = /[\u00B7\u0375\u05F3\u05F4\u200C\u200D]/
const TRANSPARENT = String.raw`[[\p{Mn}\p{Me}\p{Cf}]--[${JOINS_NEXT}${JOINS_PREVIOUS}\u200C\u200D\u0600-\u0605\u06DD\u0890\u0891\u08E2\u180E\u2066-\u2069\u{110BD}\u{110CD}]]`
const IN_CONTEXT = new RegExp(
  String.raw`(?<=[${VIRAMA}])[\u200C\u200D]` +
  String.raw`|(?<=[${JOINS_NEXT}]${TRANSPARENT}*)\u200C(?=${TRANSPARENT}*[${JOINS_PREVIOUS}])` +
  String.raw`|(?<=l)\u00B7(?=l)` +
  String.raw`|\u0375(?=\p{Script=Greek})` +
  String.raw`|(?<=\p{Script=Hebrew})[\u05F3\u05F4]`, 'gv')

function contextAllows(text: string): boolean {
  if (CONTEXTUAL.test(text) && CONTEXTUAL.test(text.replace(IN_CONTEXT, ''))) return false
  if (text.includes('\u30FB') && !/[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(text)) return false
  return !(/[\u0660-\u0669]/.test(text) && /[\u06F0-\u06F9]/.test(text))
}

let bidi: Bidi | undefined

const RTL_TYPE = /^(?:R|AL|AN)$/

// bidi-js knows Unicode 13; what was assigned later in the blocks kept for right-to-left scripts it takes for L.
function bidiType(c: string): string {
  const code = c.codePointAt(0) ?? 0
  const type = (bidi ??= bidiFactory()()).getBidiCharTypeName(c)
  return type === 'L' && ((code >= 0x10800 && code <= 0x10FFF) || (code >= 0x1E800 && code <= 0x1EFFF)) ? 'R' : type
}

/** RFC 5893 section 2, for text that holds a right-to-left character; other text passes. */
function obeysBidiRule(text: string): boolean {
  if (!NON_ASCII.test(text)) return true
  const types = Array.from(text, bidiType)
  if (!types.some(t => RTL_TYPE.test(t))) return true
  const first = types[0]
  const last = types.findLast(t => t !== 'NSM')
  if (first === 'L') { // rules 5 and 6
    return (last === 'L' || last === 'EN') && types.every(t => LTR_ALLOWED.has(t))
  }
  if (first !== 'R' && first !== 'AL') return false // rule 1
  return last !== undefined && RTL_END.has(last) && types.every(t => RTL_ALLOWED.has(t)) && !(types.includes('EN') && types.includes('AN'))
}
const NON_ASCII = /\P{ASCII}/u
const RTL_END = new Set(['R', 'AL', 'EN', 'AN'])
const RTL_ALLOWED = new Set([...RTL_END, 'ES', 'CS', 'ET', 'ON', 'BN', 'NSM'])
const LTR_ALLOWED = new Set(['L', 'EN', 'ES', 'CS', 'ET', 'ON', 'BN', 'NSM'])
