// Whoever puts a line into another language (interface).

export type Translated =
  /** `from`: the language it was found to be in, where the service tells. */
  | { readonly is: 'translated'; readonly text: string; readonly from?: string }
  /** Words for who asked. */
  | { readonly is: 'refused'; readonly because: string }
  | { readonly is: 'failed'; readonly because: string }

export interface Translator {
  /** Languages as BCP 47 has them; without `from` the service finds out. Never rejects but with StoreError. */
  translate(text: string, to: string, from?: string): Promise<Translated>
}
