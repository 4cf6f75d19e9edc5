// A saved link on a web site: shows whether chat is available, and opens it. It waits for nothing and breaks nothing.
(() => {
  const me = document.currentScript
  const host = new URL(me.src).origin
  const site = me.dataset.site || 'default'
  const offline = { display: 'text', url: '' }

  function draw(a, face, title, online) {
    const words = a.deskbellWords ??= a.textContent
    a.dataset.state = online ? 'online' : 'offline'
    a.title = face.anchorTitle || ''
    a.href = /^(https?:|mailto:|\/)/i.test(face.url || '') ? face.url : `${host}/?site=${encodeURIComponent(site)}&link=${encodeURIComponent(a.dataset.deskbellLink)}`
    a.target = online ? '_self' : face.target || '_blank'
    a.onclick = online && !face.url ? e => {
      const chat = document.querySelector('deskbell-chat')
      const open = chat?.shadowRoot?.querySelector('.launch')
      if (open) { e.preventDefault(); open.click() }
    } : null
    if (face.display === 'image' && /^https?:|^\//.test(face.image || '')) {
      const image = document.createElement('img')
      image.src = face.image
      image.alt = title || words
      image.title = face.description || ''
      if (face.cssClass) image.className = face.cssClass
      a.replaceChildren(image)
    } else {
      a.className = face.cssClass || ''
      a.title = face.anchorTitle || face.description || ''
      a.textContent = title || words
    }
  }

  async function look(a) {
    let again = a.deskbellRefresh ?? 30 // seconds; what the link said last, also while nobody answers
    try {
      const r = await fetch(`${host}/webchat/link?${new URLSearchParams({ site, link: a.dataset.deskbellLink, page: location.origin + location.pathname })}`, { signal: AbortSignal.timeout(10000), credentials: 'omit' })
      if (!r.ok) throw new Error()
      const { online, faces, title, refresh } = await r.json()
      again = a.deskbellRefresh = refresh
      a.deskbellOffline = faces.offline
      draw(a, online ? faces.online : faces.offline, title, online)
    } catch {
      draw(a, a.deskbellOffline || offline, '', false)
    }
    setTimeout(() => look(a), again * 1000)
  }

  const start = () => { for (const a of document.querySelectorAll('a[data-deskbell-link]')) if (!a.dataset.state) { a.dataset.state = 'asking'; void look(a) } }
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', start)
  else start()
})()
