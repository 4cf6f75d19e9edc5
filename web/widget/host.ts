// Asks the page that shows the chat for what only it can give: a fresh identity, the token of a captcha.

/**
 * An event `deskbell-identity` or `deskbell-captcha` at the widget's element, which the page may hear at its document. Who answers calls
 * `event.detail.give` at once, with a text or a promise of one. Undefined: nobody did, or not in time.
 */
export function ask(at: HTMLElement, what: 'identity' | 'captcha', more: object, patience: number): Promise<string | undefined> {
  return new Promise(done => {
    let heard = false
    const give = (answer: unknown): void => {
      heard = true
      Promise.resolve(answer).then(a => done(typeof a === 'string' && a ? a : undefined), () => done(undefined))
    }
    at.dispatchEvent(new CustomEvent(`deskbell-${what}`, { bubbles: true, composed: true, detail: { ...more, give } }))
    if (!heard) done(undefined)
    setTimeout(done, patience)
  })
}
