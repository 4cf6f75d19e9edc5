// What we use of tr46, which ships no types.
declare module 'tr46' {
  interface Options {
    readonly checkBidi?: boolean
    readonly checkHyphens?: boolean
    readonly checkJoiners?: boolean
    readonly useSTD3ASCIIRules?: boolean
    readonly verifyDNSLength?: boolean
  }
  export function toUnicode(domain: string, options?: Options): { readonly domain: string; readonly error: boolean }
  export function toASCII(domain: string, options?: Options): string | null
}
