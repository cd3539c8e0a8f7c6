// simple-oauth2, which is told its paths, with the platform's own fetch for the API.
import { ClientCredentials } from 'simple-oauth2'

const { SITE_URL, CLIENT_ID, CLIENT_SECRET, AUTHORIZATION_METHOD } = process.env
const posts = `${SITE_URL}/wp-json/wp/v2/posts`
const configure = (secret) => ({
  client: { id: CLIENT_ID, secret },
  auth: {
    tokenHost: SITE_URL,
    tokenPath: '/wp-json/app-connect/v1/token',
    revokePath: '/wp-json/app-connect/v1/revoke',
  },
  options: { authorizationMethod: AUTHORIZATION_METHOD },
})

const accessToken = await new ClientCredentials(configure(CLIENT_SECRET)).getToken({})
const authorization = `Bearer ${accessToken.token.access_token}`
const created = await fetch(posts, {
  method: 'POST',
  headers: { authorization, 'content-type': 'application/json' },
  body: JSON.stringify({ title: 'Grüße von simple-oauth2', status: 'publish' }),
})
const { id } = await created.json()
const read = await fetch(`${posts}/${id}`, { headers: { authorization } })

await accessToken.revoke('access_token')
const refused = await fetch(`${posts}/${id}`, { headers: { authorization } })
const wrongSecret = await new ClientCredentials(configure('wrong'))
  .getToken({})
  .catch((error) => ({ status: error.output.statusCode, ...error.data.payload }))

console.log(
  JSON.stringify({
    isExpired: accessToken.expired(300),
    created: created.status,
    id,
    readTitle: (await read.json()).title.rendered,
    refused: refused.status,
    challenge: refused.headers.get('www-authenticate'),
    wrongSecret,
  }),
)
