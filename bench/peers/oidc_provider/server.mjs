// oidc-provider issuing RFC 9068 JWTs signed with Ed25519, as ours are, from its own in-memory adapter; JWTs are not stored.
import { generateKeyPairSync } from 'node:crypto';

import { Provider } from 'oidc-provider';

const [port, clientId, clientSecret] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const audience = 'https://api.example.com/wp-json';
const { privateKey } = generateKeyPairSync('ed25519');

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      grant_types: ['client_credentials'],
      id_token_signed_response_alg: 'Ed25519',
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'Ed25519' }] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      getResourceServerInfo: () => ({
        scope: '',
        audience,
        accessTokenTTL: 3600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'Ed25519' } },
      }),
    },
  },
});

const server = provider.listen(Number(port), '127.0.0.1');
server.keepAliveTimeout = 600_000;
