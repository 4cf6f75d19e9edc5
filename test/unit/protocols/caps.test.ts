import assert from 'node:assert/strict'
import { capsHash } from '../../../protocols/caps.ts'
import { parseFrame } from '../../../server/xml/parser.ts'

const INFO = 'http://jabber.org/protocol/disco#info'

describe('XEP-0115 verification string', () => {
  it('is that of section 5.2', () => {
    assert.equal(capsHash(parseFrame(`<query xmlns='${INFO}'><identity category='client' type='pc' name='Exodus 0.9.1'/>
      <feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>
      <feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/></query>`)), 'QgayPKawpkPSDYmwT/WM94uAlu0=')
  })
  it('is that of section 5.3, with languages and a form', () => {
    assert.equal(capsHash(parseFrame(`<query xmlns='${INFO}'>
      <identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/><identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>
      <feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>
      <feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>
      <x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>
        <field var='ip_version' type='text-multi'><value>ipv4</value><value>ipv6</value></field>
        <field var='os'><value>Mac</value></field><field var='os_version'><value>10.5.1</value></field>
        <field var='software'><value>Psi</value></field><field var='software_version'><value>0.11</value></field></x></query>`)), 'q07IKJEyjvHSyhy//CH0CxmKi8w=')
  })
})
