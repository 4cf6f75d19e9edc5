// What a login can be bound to: the hash of our certificate, as clients compute it (hashes by openssl and sha*sum).
import assert from 'node:assert/strict'
import { endPoint } from '../../../server/net/bindings.ts'

// Of a.example, self-signed; nobody has the keys any more.
const CERTIFICATES: readonly (readonly [signed: string, base64: string, hash: string | undefined])[] = [
  ['SHA-384, by itself', [
    'MIIBfTCCASOgAwIBAgIUGd84t07CW3IGv4A1eWB45XqVfbgwCgYIKoZIzj0EAwMwFDESMBAGA1UEAwwJYS5leGFtcGxlMB4XDTI2MTEyMDEzMjUyNVoXDTM2',
    'MTExNzEzMjUyNVowFDESMBAGA1UEAwwJYS5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeAFkd19pmZOVS8AS93x4W85R7482tLksx+azZNff',
    'k3J1ZQVOpDEom41YaoFy+U1VB0ZoEvmEsP5dQGKl33sTjqNTMFEwHQYDVR0OBBYEFJJxnqvFD/YgHcq7c/x6+X+43jEVMB8GA1UdIwQYMBaAFJJxnqvFD/Yg',
    'Hcq7c/x6+X+43jEVMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwMDSAAwRQIhAJggVjV/7zCfwnTFQ063x8KIGjcYpOHA22GTNtluudtLAiBjKXGTje4U',
    'VrDB4hoDm0Fx+OutsX6TRshyYdz1E0khYA==',
  ].join(''), '2c1c8a419deb7d5508e9f868e2f72865a7d30ccf2a033e92344d3e5f4cce869185b17553a9f82ef689be11ce5e30adbc'],
  ['SHA-1, by SHA-256', [
    'MIIBejCCASKgAwIBAgIUWzShgcUZsoiRp4eQQtsgwXXb2s4wCQYHKoZIzj0EATAUMRIwEAYDVQQDDAlhLmV4YW1wbGUwHhcNMjYxMTIwMTMyNTI1WhcNMzYx',
    'MTE3MTMyNTI1WjAUMRIwEAYDVQQDDAlhLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR4AWR3X2mZk5VLwBL3fHhbzlHvjza0uSzH5rNk19+T',
    'cnVlBU6kMSibjVhqgXL5TVUHRmgS+YSw/l1AYqXfexOOo1MwUTAdBgNVHQ4EFgQUknGeq8UP9iAdyrtz/Hr5f7jeMRUwHwYDVR0jBBgwFoAUknGeq8UP9iAd',
    'yrtz/Hr5f7jeMRUwDwYDVR0TAQH/BAUwAwEB/zAJBgcqhkjOPQQBA0cAMEQCIFsyLdtW1/ZtuLtp5/jpUEICkmR0NHYTRR0zyCGqcA/gAiBZcCyvc8pySrDE',
    'm+5ffqHtkRYXT5f27WcLkfcChWkMWQ==',
  ].join(''), 'c24becccf61a71dc1976aee60433bbf2ec13e45ed8b81d184026061f2be347de'],
  ['Ed25519, which has no hash of its own', [
    'MIIBPDCB76ADAgECAhRCr2u0v1hVMKa588Exrjhsk51H3zAFBgMrZXAwFDESMBAGA1UEAwwJYS5leGFtcGxlMB4XDTI2MTEyMDEzMjUyNVoXDTM2MTExNzEz',
    'MjUyNVowFDESMBAGA1UEAwwJYS5leGFtcGxlMCowBQYDK2VwAyEAvqsPx8bDQSLJajn8UHyPo6fb6yKgitQdykr60Rw+cvqjUzBRMB0GA1UdDgQWBBRAuPXx',
    'qwaEXeFG7v3HJmTYuPZBzDAfBgNVHSMEGDAWgBRAuPXxqwaEXeFG7v3HJmTYuPZBzDAPBgNVHRMBAf8EBTADAQH/MAUGAytlcANBAGvnpwckK0wtuzrrN9lu',
    'HulNsyp5yZyRwPapotuJxXyBg2o30URM5LJUxKE6PWiPIVyZKWBZO6S7U2gNy2WvMQw=',
  ].join(''), undefined],
]

describe('net/bindings', () => {
  for (const [signed, base64, hash] of CERTIFICATES) {
    it(`SEC-T09 RFC 5929 section 4.1: tls-server-end-point of a certificate signed with ${signed}`, () => {
      const found = endPoint(`-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`)
      assert.equal(found && Buffer.from(found).toString('hex'), hash)
    })
  }
})
