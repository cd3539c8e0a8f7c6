// openid-client as its documentation shows it: from the site's address to a published post, and the token's end.
import * as client from 'openid-client'

const { SITE_URL, CLIENT_ID, CLIENT_SECRET, AUTHENTICATION } = process.env
const site = new URL(SITE_URL)
const posts = new URL('/wp-json/wp/v2/posts', site)
const options = { algorithm: 'oauth2', execute: site.protocol === 'http:' ? [client.allowInsecureRequests] : [] }

const config = await client.discovery(site, CLIENT_ID, undefined, client[AUTHENTICATION](CLIENT_SECRET), options)
const tokens = await client.clientCredentialsGrant(config)

const created = await client.fetchProtectedResource(
  config,
  tokens.access_token,
  posts,
  'POST',
  JSON.stringify({ title: 'Grüße von openid-client', status: 'publish' }),
  new Headers({ 'content-type': 'application/json' }),
)
const { id } = await created.json()
const post = new URL(`${posts.pathname}/${id}`, site)
const read = await client.fetchProtectedResource(config, tokens.access_token, post, 'GET')

const introspected = await client.tokenIntrospection(config, tokens.access_token)
await client.tokenRevocation(config, tokens.access_token)
const afterRevocation = await client.tokenIntrospection(config, tokens.access_token)
const refusal = await client
  .fetchProtectedResource(config, tokens.access_token, post, 'GET')
  .catch((error) => ({ status: error.status, challenges: error.cause }))

const withWrongSecret = await client.discovery(site, CLIENT_ID, undefined, client[AUTHENTICATION]('wrong'), options)
const wrongSecret = await client
  .clientCredentialsGrant(withWrongSecret)
  .catch(async (error) => ({ scheme: error.cause[0].scheme, ...(await error.response.json()) }))

console.log(
  JSON.stringify({
    expiresIn: tokens.expiresIn(),
    grantedRestRoutes: tokens.granted_rest_routes,
    created: created.status,
    id,
    readTitle: (await read.json()).title.rendered,
    introspected,
    afterRevocation,
    refusal: { status: refusal.status, error: refusal.challenges[0].parameters.error },
    wrongSecret,
  }),
)
