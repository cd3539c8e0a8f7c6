// oauth4webapi, where each step is a request and its processing: from the API's address, by RFC 9728, RFC 8414 and
// RFC 6749, to a token which a resource server that has nothing but the issuer's name verifies by RFC 9068.
import * as oauth from 'oauth4webapi'

const { SITE_URL, CLIENT_ID, CLIENT_SECRET, AUTHENTICATION } = process.env
const api = new URL('/wp-json', SITE_URL)
const options = { [oauth.allowInsecureRequests]: api.protocol === 'http:' }
const client = { client_id: CLIENT_ID }
const authentication = oauth[AUTHENTICATION](CLIENT_SECRET)

const resource = await oauth.processResourceDiscoveryResponse(
  api,
  await oauth.resourceDiscoveryRequest(api, options),
)
const issuer = new URL(resource.authorization_servers[0])
const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...options }),
)

const tokens = await oauth.processClientCredentialsResponse(
  server,
  client,
  await oauth.clientCredentialsGrantRequest(server, client, authentication, { resource: resource.resource }, options),
)
const claims = await oauth.validateJwtAccessToken(
  server,
  new Request(api, { headers: { authorization: `Bearer ${tokens.access_token}` } }),
  resource.resource,
  options,
)
const otherAudience = await oauth
  .validateJwtAccessToken(
    server,
    new Request(api, { headers: { authorization: `Bearer ${tokens.access_token}` } }),
    'https://elsewhere.example',
    options,
  )
  .catch((error) => error.code)

const created = await oauth.protectedResourceRequest(
  tokens.access_token,
  'POST',
  new URL(`${api}/wp/v2/posts`),
  new Headers({ 'content-type': 'application/json' }),
  JSON.stringify({ title: 'Grüße von oauth4webapi', status: 'publish' }),
  options,
)
const { id } = await created.json()
const post = new URL(`${api}/wp/v2/posts/${id}`)
const read = await oauth.protectedResourceRequest(tokens.access_token, 'GET', post, undefined, undefined, options)
const forbidden = await oauth
  .protectedResourceRequest(tokens.access_token, 'DELETE', post, undefined, undefined, options)
  .catch((error) => ({ status: error.status, challenges: error.cause }))

const introspect = async () =>
  oauth.processIntrospectionResponse(
    server,
    client,
    await oauth.introspectionRequest(server, client, authentication, tokens.access_token, options),
  )
const introspected = await introspect()
await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, client, authentication, tokens.access_token, options),
)
const afterRevocation = await introspect()
const refusal = await oauth
  .protectedResourceRequest(tokens.access_token, 'GET', post, undefined, undefined, options)
  .catch((error) => ({ status: error.status, challenges: error.cause }))

console.log(
  JSON.stringify({
    claims,
    otherAudience,
    created: created.status,
    id,
    readTitle: (await read.json()).title.rendered,
    forbidden: { status: forbidden.status, error: forbidden.challenges[0].parameters.error },
    introspected,
    afterRevocation,
    refusal: { status: refusal.status, ...refusal.challenges[0].parameters },
  }),
)
