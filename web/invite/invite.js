// Reads the invitation out of the address, where only this page sees it (XEP-0379 section 3.3).
const [, jid, action, rest] = /^([^\s?#&"'<>/]{1,600})\?(roster|register)((?:;[a-z]{1,20}=[\w.~%+-]{0,200})*)$/.exec(location.hash.slice(1)) ?? []

if (jid) {
  const who = decode(jid)
  const title = action === 'roster' ? `${who} invites you to chat` : `You are invited to ${who.split('@').at(-1)}`
  const what = action === 'register' ? 'You will make an account there and choose its password.'
    : /;ibr=y(?:;|$)/.test(rest) ? 'You become contacts. If you have no account yet, you can make one there.' : 'You become contacts.'
  const uri = `xmpp:${jid}?${action}${rest}`
  document.title = title
  document.getElementById('title').textContent = title
  document.getElementById('what').textContent = what
  document.getElementById('open').href = uri
  document.getElementById('uri').textContent = uri
  document.getElementById('good').hidden = false
}

function decode(text) {
  try { return decodeURIComponent(text) } catch { return text }
}
