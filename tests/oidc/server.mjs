// An issuer that isn't ours: node server.mjs PORT PEOPLE. PEOPLE is a JSON file, sub → roles, read for each claim.
// The issuer's own development pages sign anybody in.
import { readFileSync } from "node:fs";
import Provider from "oidc-provider";

const [port, people] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const machine = { grant_types: ["client_credentials"], redirect_uris: [], response_types: [] };

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "docvigil",
      client_secret: "secret-of-docvigil",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: ["http://testserver/sign-in/callback"],
    },
    { client_id: "feed", client_secret: "secret-of-feed", ...machine },
    { client_id: "opaque-feed", client_secret: "secret-of-opaque-feed", ...machine },
  ],
  claims: { openid: ["sub"], profile: ["name", "roles"] },
  async findAccount(_, sub) {
    const claims = async () => ({ sub, name: `${sub} of the desk`, roles: JSON.parse(readFileSync(people))[sub] ?? [] });
    return { accountId: sub, claims };
  },
  extraTokenClaims: (_, token) => (token.kind === "ClientCredentials" ? { roles: ["integrator"] } : undefined),
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, audience, client) => ({
        audience,
        scope: "api",
        accessTokenFormat: client.clientId === "opaque-feed" ? "opaque" : "jwt",
        jwt: { sign: { alg: "RS256" } },
      }),
    },
  },
  cookies: { keys: ["for tests only"] },
});
provider.listen(Number(port), "127.0.0.1", () => console.log(`ready at ${issuer}`));
