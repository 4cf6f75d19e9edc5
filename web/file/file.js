// Uploads one file under the link in the address, where only this page sees it, and hands it over to the conversation.
const link = location.hash.slice(1)
const at = id => document.getElementById(id)
const say = text => { at('status').textContent = text }
let request

async function ask(what, more = {}) {
  const answer = await fetch(`/file/${what}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ link, ...more }) })
  const body = await answer.json()
  if (!answer.ok) throw new Error(body.title)
  return body
}

function send({ put, headers }, file) {
  const url = new URL(put)
  return new Promise((done, failed) => {
    request = new XMLHttpRequest()
    request.open('PUT', url.pathname + url.search) // our own server keeps them
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    if (file.type) request.setRequestHeader('content-type', file.type)
    request.upload.onprogress = e => { at('progress').value = e.loaded / (e.total || 1) }
    request.onload = () => request.status === 201 ? done() : failed(new Error(title(request.responseText) ?? 'The file could not be kept.'))
    request.onerror = () => failed(new Error('The connection was lost. Please try again.'))
    request.onabort = () => failed(new Error('Cancelled.'))
    request.send(file)
  })
}
function title(text) { try { return JSON.parse(text).title } catch { return undefined } }

function busy(on) {
  at('upload').disabled = at('file').disabled = on
  at('cancel').hidden = at('progress').hidden = !on
  at('progress').value = 0
}

at('cancel').onclick = () => request?.abort()
at('form').onsubmit = async e => {
  e.preventDefault()
  const [file] = at('file').files
  if (!file) return
  busy(true)
  say(`Sending ${file.name}…`)
  try {
    const slot = await ask('slot', { name: file.name, size: file.size, type: file.type })
    await send(slot, file)
    const { text } = await ask('done', { file: slot.file })
    at('form').hidden = true
    say(`${text} You can close this page.`)
  } catch (error) {
    busy(false)
    say(error.message)
  }
}

try {
  const { conversation, customer, agent, most } = await ask('about')
  say(`To ${customer}, in conversation #${conversation}, as ${agent}.${most ? ` At most ${Math.floor(most / 1048576)} MiB.` : ''}`)
  at('form').hidden = false
} catch (error) {
  say(error.message)
}
