// Fills the demo page with what this server really has.
const put = (id, text) => { document.getElementById(id).textContent = text }
const snippet = document.getElementById('snippet')
snippet.textContent = snippet.textContent.replace('/widget.js', `${location.origin}/widget.js`)
put('websocket', `${location.origin.replace(/^http/, 'ws')}/xmpp-websocket`)

const { hosts, ports, selfSigned } = await (await fetch('/site/about.json')).json()
for (const at of document.querySelectorAll('.domain')) at.textContent = hosts[0] ?? location.hostname
put('server', location.hostname)
for (const [row, port] of [['starttls', 'c2s'], ['direct', 'c2s-tls']]) {
  document.getElementById(row).hidden = !ports[port]
  if (ports[port]) put(port, ports[port])
}
document.getElementById('certificate').hidden = !selfSigned

// Who comes by a saved link has asked for the chat already.
if (new URLSearchParams(location.search).has('link')) document.querySelector('deskbell-chat')?.shadowRoot?.querySelector('.launch')?.click()
